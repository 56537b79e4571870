using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;

namespace RenderFarm.Testing;

/// <summary>A virtual host of its own on the broker: exchanges and queues have fixed names, and tests run side by side.</summary>
public sealed class BrokerVirtualHost : IAsyncDisposable
{
    private readonly HttpClient _management;

    private BrokerVirtualHost(HttpClient management, string name, Uri address) =>
        (_management, Name, Address) = (management, name, address);

    public string Name { get; }

    /// <summary><c>amqp://guest:guest@127.0.0.1:port/name</c>.</summary>
    public Uri Address { get; }

    /// <summary>Skips the test where there is no server.</summary>
    public static async Task<BrokerVirtualHost> CreateAsync(CancellationToken cancellationToken = default)
    {
        var (broker, management) = (TestServices.RabbitMq, TestServices.RabbitMqManagement);
        var name = $"test-{Guid.NewGuid():N}";
        var http = new HttpClient
        {
            BaseAddress = new Uri(management.GetLeftPart(UriPartial.Scheme) + $"{management.Host}:{management.Port}/api/"),
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Basic",
            Convert.ToBase64String(Encoding.UTF8.GetBytes(management.UserInfo))
        );
        (await http.PutAsync(new Uri($"vhosts/{name}", UriKind.Relative), content: null, cancellationToken)).EnsureSuccessStatusCode();
        var user = management.UserInfo.Split(':')[0];
        var everything = new Dictionary<string, string>
        {
            ["configure"] = ".*",
            ["write"] = ".*",
            ["read"] = ".*",
        };
        (
            await http.PutAsJsonAsync(new Uri($"permissions/{name}/{user}", UriKind.Relative), everything, cancellationToken)
        ).EnsureSuccessStatusCode();
        return new BrokerVirtualHost(http, name, new Uri($"amqp://{broker.UserInfo}@{broker.Host}:{broker.Port}/{name}"));
    }

    /// <summary>Names of the queues that exist now.</summary>
    public async Task<IReadOnlyList<string>> QueuesAsync(CancellationToken cancellationToken = default) =>
        (await _management.GetFromJsonAsync<List<Queue>>(new Uri($"queues/{Name}", UriKind.Relative), cancellationToken) ?? [])
            .Select(queue => queue.Name)
            .ToArray();

    /// <summary>The broker's own word on its <c>queues</c> or <c>exchanges</c>.</summary>
    public async Task<IReadOnlyList<JsonNode>> ListAsync(string kind, CancellationToken cancellationToken = default) =>
        (await _management.GetFromJsonAsync<List<JsonNode>>(new Uri($"{kind}/{Name}", UriKind.Relative), cancellationToken))!;

    /// <summary>Somebody sends a message who knows nothing of us but the exchange's name.</summary>
    public async Task PublishAsync(
        string exchange,
        string messageId,
        string body,
        IReadOnlyDictionary<string, string> headers,
        CancellationToken cancellationToken = default
    )
    {
        var message = new JsonObject
        {
            ["routing_key"] = "any",
            ["payload"] = body,
            ["payload_encoding"] = "string",
            ["properties"] = new JsonObject
            {
                ["content_type"] = "application/json",
                ["message_id"] = messageId,
                ["headers"] = new JsonObject(headers.Select(header => KeyValuePair.Create(header.Key, (JsonNode?)header.Value))),
            },
        };
        using var said = await _management.PostAsJsonAsync(
            new Uri($"exchanges/{Name}/{exchange}/publish", UriKind.Relative),
            message,
            cancellationToken
        );
        said.EnsureSuccessStatusCode();
        var routed = await said.Content.ReadFromJsonAsync<JsonObject>(cancellationToken);
        Assert.True((bool)routed!["routed"]!, $"no queue takes what is sent to {exchange}");
    }

    public async ValueTask DisposeAsync()
    {
        (await _management.DeleteAsync(new Uri($"vhosts/{Name}", UriKind.Relative))).EnsureSuccessStatusCode();
        _management.Dispose();
    }

    private sealed record Queue(string Name);
}
