using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using RenderFarm.Testing;
using RenderFarm.Worker.Bells;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Bells;

/// <summary>The worker's queues as the broker has them, and what becomes of a message that is no bell.</summary>
public sealed class BellQueueTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Start_WithABroker_DeclaresBoundedQueuesAndNothingElse()
    {
        await using var broker = await BrokerVirtualHost.CreateAsync(TestContext.Current.CancellationToken);
        await using var worker = await StartAsync(broker);

        var queues = (await broker.ListAsync("queues", TestContext.Current.CancellationToken)).ToDictionary(queue =>
            (string)queue["name"]!
        );
        Assert.Equal("""{"x-max-length":1000,"x-message-ttl":60000}""", ArgumentsOf(queues["renderfarm.jobs.cpu"]));
        Assert.Equal("""{"x-expires":600000}""", ArgumentsOf(queues["renderfarm.worker.worker_1"]));
        Assert.Equal(
            ["renderfarm.jobs.cpu fanout", "renderfarm.worker.worker_1 fanout"],
            (await broker.ListAsync("exchanges", TestContext.Current.CancellationToken))
                .Select(exchange => $"{(string)exchange["name"]!} {(string)exchange["type"]!}")
                .Where(exchange => exchange.StartsWith("renderfarm.", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("application/json", "no json")]
    [InlineData("application/vnd.masstransit+json", "{")]
    [InlineData(
        "application/vnd.masstransit+json",
        """{"messageType":["urn:message:Other"],"faultAddress":"exchange:elsewhere","message":{}}"""
    )]
    public async Task Ring_AMessageThatIsNoBell_IsPutDownAndTheNextIsHeard(string contentType, string body)
    {
        await using var broker = await BrokerVirtualHost.CreateAsync(TestContext.Current.CancellationToken);
        await using var worker = await StartAsync(broker);
        var heard = worker.Services.GetRequiredService<Doorbell>().WaitAsync(Soon, TestContext.Current.CancellationToken);

        await PublishAsync(broker.Address, contentType, body);
        await PublishAsync(
            broker.Address,
            "application/vnd.masstransit+json",
            """{"messageType":["urn:message:RenderFarm.Contracts.Messages:JobQueued"],"message":{"jobId":"video_1","vramClass":"cpu"}}"""
        );

        var began = TimeProvider.System.GetTimestamp();
        await heard;
        Assert.True(TimeProvider.System.GetElapsedTime(began) < Soon / 2, "the wait ended by its limit, not by the bell");
        Assert.Equal(
            ["renderfarm.jobs.cpu", "renderfarm.worker.worker_1"],
            (await broker.QueuesAsync(TestContext.Current.CancellationToken)).Order(StringComparer.Ordinal)
        );
    }

    private static string ArgumentsOf(JsonNode queue) =>
        new JsonObject(
            queue["arguments"]!
                .AsObject()
                .OrderBy(a => a.Key, StringComparer.Ordinal)
                .Select(a => KeyValuePair.Create(a.Key, a.Value?.DeepClone()))
        ).ToJsonString();

    private static async Task<WorkerUnderTest> StartAsync(BrokerVirtualHost broker)
    {
        var worker = await WorkerUnderTest.CreateAsync(StubRenderer.Endless);
        worker.Set("Bus:Kind", "rabbitmq");
        worker.Set("Bus:Uri", broker.Address.AbsoluteUri);
        await worker.StartAsync();
        await Eventually.TrueAsync(
            async () =>
                (await broker.ListAsync("queues", TestContext.Current.CancellationToken)).Count(q => (int?)q["consumers"] is 1) == 2,
            Soon,
            "the worker to listen",
            TestContext.Current.CancellationToken
        );
        return worker;
    }

    private static async Task PublishAsync(Uri broker, string contentType, string body)
    {
        await using var connection = await new ConnectionFactory { Uri = broker }.CreateConnectionAsync(
            TestContext.Current.CancellationToken
        );
        await using var channel = await connection.CreateChannelAsync(cancellationToken: TestContext.Current.CancellationToken);
        await channel.BasicPublishAsync(
            "renderfarm.jobs.cpu",
            "",
            mandatory: false,
            new BasicProperties { ContentType = contentType },
            System.Text.Encoding.UTF8.GetBytes(body),
            TestContext.Current.CancellationToken
        );
    }
}
