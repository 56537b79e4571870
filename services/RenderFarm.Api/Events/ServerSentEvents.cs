using System.Globalization;
using System.Text;
using System.Text.Json;

namespace RenderFarm.Api.Events;

/// <summary>Writes <c>text/event-stream</c>. An event with an id is one to resume from; the others are gone when they are missed.</summary>
internal sealed class ServerSentEvents(HttpResponse response, CancellationToken cancellationToken)
{
    /// <summary>Sent when nothing else is, so that nobody in between takes the connection for dead.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    public async Task BeginAsync()
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        // How soon a browser comes back after a break
        await WriteAsync("retry: 2000\n\n");
    }

    public Task SendAsync<T>(string name, T data, long? id = null)
    {
        var text = new StringBuilder();
        if (id is { } position)
        {
            text.Append(CultureInfo.InvariantCulture, $"id: {position}\n");
        }

        // JSON holds no line break, so the data is one line
        return WriteAsync(
            text.Append(CultureInfo.InvariantCulture, $"event: {name}\ndata: {JsonSerializer.Serialize(data, Wire.Json)}\n\n").ToString()
        );
    }

    public Task StillThereAsync() => WriteAsync(": still here\n\n");

    private async Task WriteAsync(string text)
    {
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
        await response.Body.FlushAsync(cancellationToken);
    }
}
