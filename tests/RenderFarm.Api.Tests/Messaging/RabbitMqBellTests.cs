using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using RenderFarm.Contracts.Messages;
using RenderFarm.Jobs.Events;

namespace RenderFarm.Api.Tests.Messaging;

public sealed class RabbitMqBellTests
{
    private static readonly string? Broker = Environment.GetEnvironmentVariable("RENDERFARM_TEST_RABBITMQ");

    [Fact]
    public async Task Submit_WithABroker_RingsInTheQueueOfItsClass()
    {
        Assert.SkipWhen(Broker is null, "run ./farm test");
        await using var connection = await new ConnectionFactory { Uri = new Uri(Broker!) }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        var name = Bells.Queue(0);
        await channel.ExchangeDeclareAsync(name, ExchangeType.Fanout, durable: true);
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        await channel.QueueBindAsync(queue, name, "");
        await using var farm = await TestFarm.StartAsync("--Bus:Kind=rabbitmq", $"--Bus:Uri={Broker}");
        await farm.RegisterWorkerAsync();

        var id = (string)(await farm.SubmitAsync())["id"]!;

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            // Other farms on this broker ring here too.
            if (await channel.BasicGetAsync(queue, autoAck: true, limit.Token) is not { } message)
            {
                await Task.Delay(20, limit.Token);
            }
            else if (JsonNode.Parse(message.Body.Span)!["message"] is { } bell && (string?)bell["jobId"] == id)
            {
                Assert.Equal("cpu", (string)bell["vramClass"]!);
                return;
            }
        }
    }

    [Fact]
    public async Task Ring_WithTheBrokerDown_GivesUpAndSaysSo()
    {
        await using var farm = await TestFarm.StartAsync(
            "--Bus:Kind=rabbitmq",
            "--Bus:Uri=amqp://guest:guest@127.0.0.1:9/",
            "--Logging:LogLevel:MassTransit=None"
        );
        var clock = Stopwatch.StartNew();

        await Assert.ThrowsAnyAsync<Exception>(() =>
            farm.Services.GetRequiredService<IBell>().RingAsync("video_1", 24, CancellationToken.None)
        );

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(9), $"took {clock.Elapsed}");
    }
}
