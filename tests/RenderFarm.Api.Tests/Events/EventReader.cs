using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.Events;

/// <summary>Reads a stream of server-sent events as a browser does. Every wait is bounded.</summary>
internal sealed class EventReader : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly HttpResponseMessage _reply;
    private readonly StreamReader _lines;

    private EventReader(HttpResponseMessage reply, Stream body) => (_reply, _lines) = (reply, new StreamReader(body));

    public static async Task<EventReader> OpenAsync(HttpClient client, string path, string? lastEventId = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        var reply = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.True(reply.IsSuccessStatusCode, $"{reply.StatusCode}");
        Assert.Equal("text/event-stream", reply.Content.Headers.ContentType?.MediaType);
        return new EventReader(reply, await reply.Content.ReadAsStreamAsync());
    }

    /// <returns>Null at the end of the stream.</returns>
    public async Task<ServerEvent?> NextAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        var (name, id, data) = ("message", (string?)null, (string?)null);
        while (await _lines.ReadLineAsync(limit.Token) is { } line)
        {
            if (line.Length == 0 && data is not null)
            {
                return new ServerEvent(name, id, JsonNode.Parse(data)!);
            }

            var (field, value) = line.Split(": ", 2) is [var left, var right] ? (left, right) : (line, "");
            (name, id, data) = field switch
            {
                "event" => (value, id, data),
                "id" => (name, value, data),
                "data" => (name, id, value),
                _ => (name, id, data),
            };
        }

        return null;
    }

    public async Task<ServerEvent> NextAsync(string name)
    {
        while (await NextAsync() is { } next)
        {
            if (next.Name == name)
            {
                return next;
            }
        }

        throw new InvalidOperationException($"the stream ended without {name}");
    }

    /// <summary>Up to the end of the stream.</summary>
    public async Task<List<ServerEvent>> RestAsync()
    {
        var all = new List<ServerEvent>();
        while (await NextAsync() is { } next)
        {
            all.Add(next);
        }

        return all;
    }

    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        _reply.Dispose();
        return ValueTask.CompletedTask;
    }
}

internal sealed record ServerEvent(string Name, string? Id, JsonNode Data);
