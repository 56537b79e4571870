using System.Text.Json.Nodes;
using RenderFarm.Api.Tests.Clients;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Messaging;

/// <summary>The queue door through a client that others wrote, and the broker's own word on what lies behind it.</summary>
public sealed class QueueDoorTests : IAsyncLifetime
{
    private BrokerVirtualHost? _broker;
    private TestFarm? _farm;

    public async ValueTask InitializeAsync()
    {
        _broker = await BrokerVirtualHost.CreateAsync();
        _farm = await TestFarm.StartAsync("--Bus:Kind=rabbitmq", $"--Bus:Uri={_broker.Address}");
        await _farm.RegisterWorkerAsync();
        await Eventually.TrueAsync(
            async () => (await _broker.QueuesAsync()).Contains("renderfarm.intake"),
            TimeSpan.FromSeconds(30),
            "the intake queues"
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_farm is not null)
        {
            await _farm.DisposeAsync();
        }

        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }
    }

    [Fact]
    public async Task Door_AStrangersClient_FindsWhatTheDocumentsPromise()
    {
        var said = await NodeProgram.RunAsync("wire.cjs", _broker!.Address.AbsoluteUri, _farm!.AdminKey);

        Assert.Equal(0, (int)said["left"]!);
        var told = Assert.Single(said["events"]!.AsArray())!;
        Assert.Equal(("renderfarm.events", "video.queued.tiny"), ((string)told["exchange"]!, (string)told["routingKey"]!));
        // The number is the client library's own, for its confirms.
        Assert.All(told["headers"]!.AsObject(), header => Assert.Equal("x-dotnet-pub-seq-no", header.Key));
        var properties = told["properties"]!.AsObject();
        Assert.Equal(
            ["contentType", "correlationId", "deliveryMode", "messageId", "timestamp", "type"],
            properties.Select(property => property.Key).Order(StringComparer.Ordinal)
        );
        Assert.Equal(
            ("application/json", "good", 2, "video.queued"),
            (
                (string)properties["contentType"]!,
                (string)properties["correlationId"]!,
                (int)properties["deliveryMode"]!,
                (string)properties["type"]!
            )
        );
        Assert.StartsWith("evt_", (string)properties["messageId"]!, StringComparison.Ordinal);
        var video = JsonNode.Parse((string)told["body"]!)!;
        Assert.Equal(
            ("video", "queued", "a ball", "7"),
            ((string)video["object"]!, (string)video["status"]!, (string)video["prompt"]!, (string)video["metadata"]!["shot"]!)
        );

        foreach (var (name, message) in said["rejected"]!.AsObject())
        {
            AssertMovedAsItCame(said["sent"]![name]!, message!);
        }
    }

    [Fact]
    public async Task Start_OnAnEmptyBroker_DeclaresItsOwnAndNothingElse()
    {
        var queues = (await _broker!.ListAsync("queues")).ToDictionary(queue => (string)queue["name"]!);
        var exchanges = (await _broker.ListAsync("exchanges")).ToDictionary(exchange => (string)exchange["name"]!);

        var own = Assert.Single(queues.Keys, name => name.StartsWith("renderfarm.notices.", StringComparison.Ordinal));
        Assert.Equal(["renderfarm.intake", "renderfarm.intake.rejected", own], queues.Keys.Order(StringComparer.Ordinal));
        Assert.All(
            [queues["renderfarm.intake"], queues["renderfarm.intake.rejected"]],
            queue => Assert.Equal((true, false, """{"x-queue-type":"quorum"}"""), PropertiesOf(queue))
        );
        Assert.Equal((false, true, """{"x-max-length":1000}"""), PropertiesOf(queues[own]));
        Assert.Equal(
            ["renderfarm.events topic", "renderfarm.intake fanout", "renderfarm.notices fanout"],
            exchanges
                .Where(e => e.Key.Length > 0 && !e.Key.StartsWith("amq.", StringComparison.Ordinal) && e.Key != own)
                .Select(e => $"{e.Key} {(string)e.Value["type"]!}")
                .Order(StringComparer.Ordinal)
        );
        Assert.All(exchanges.Where(e => e.Key != own), e => Assert.Equal((true, false, "{}"), PropertiesOf(e.Value)));

        static (bool Durable, bool AutoDelete, string Arguments) PropertiesOf(JsonNode entity) =>
            ((bool)entity["durable"]!, (bool)entity["auto_delete"]!, entity["arguments"]!.ToJsonString());
    }

    /// <summary>Body and properties as they were, but for an expiry, which would lose it; the key is gone and the reason there.</summary>
    private static void AssertMovedAsItCame(JsonNode sent, JsonNode moved)
    {
        Assert.Equal(("", "renderfarm.intake.rejected"), ((string)moved["exchange"]!, (string)moved["routingKey"]!));
        Assert.Equal((string)sent["body"]!, (string)moved["body"]!);

        var expected = sent["properties"]!.DeepClone().AsObject();
        expected.Remove("expiration");
        expected["deliveryMode"] = 2;
        Assert.Equal(Sorted(expected), Sorted(moved["properties"]!.AsObject()));

        var headers = moved["headers"]!.AsObject();
        Assert.DoesNotContain("x-api-key", headers.Select(header => header.Key));
        Assert.Equal("not-a-guid", (string)headers["MessageId"]!);
        Assert.Equal("rabbitmq://localhost/elsewhere", (string)headers["MT-Fault-Address"]!);
        Assert.NotEmpty((string)headers["x-reason"]!);
        Assert.NotEmpty((string)headers["x-reason-code"]!);
        Assert.True((long)headers["x-rejected-at"]! > 0);
        string[] added =
        [
            "MT-Fault-Address",
            "MT-Message-Type",
            "MessageId",
            "x-dotnet-pub-seq-no",
            "x-reason",
            "x-reason-code",
            "x-reason-param",
            "x-rejected-at",
            "x-test",
        ];
        Assert.Empty(headers.Select(header => header.Key).Except(added));

        static string Sorted(JsonObject properties) =>
            new JsonObject(
                properties.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, p.Value?.DeepClone()))
            ).ToJsonString();
    }
}
