using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Messaging;

/// <summary>What is on its way between the store and the broker while one of them is away, or the API stops.</summary>
public sealed class OutageTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Intake_StoppedWhileTheStoreIsAway_LeavesTheMessageForTheNext()
    {
        await using var broker = await BrokerVirtualHost.CreateAsync();
        await using var database = await PostgresDatabase.CreateAsync();
        var address = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        using var store = new CuttableProxy(address.Host!, address.Port);
        address.Port = store.Port;
        string[] settings =
        [
            "--Store:Kind=postgres",
            $"--Store:ConnectionString={address}",
            "--Bus:Kind=rabbitmq",
            $"--Bus:Uri={broker.Address}",
        ];
        string key;
        await using (var farm = await TestFarm.StartAsync(settings))
        {
            await farm.RegisterWorkerAsync();
            key = farm.AdminKey;
            await ListeningAsync(broker);
            store.Cut();
            await PublishAsync(broker.Address, "kept", key);
            await Eventually.TrueAsync(async () => await UnackedAsync(broker) == 1, Soon, "the message to be in hand");
        }

        store.Restore();
        await using var next = await TestFarm.StartAsync(settings);
        await Eventually.TrueAsync(
            async () => ((JsonArray)(await (await next.ClientWith(key).GetAsync("/v1/videos")).JsonAsync())["data"]!).Count == 1,
            Soon,
            "the video"
        );
        Assert.DoesNotContain(
            await broker.QueuesAsync(),
            name => name.EndsWith("_error", StringComparison.Ordinal) || name.EndsWith("_skipped", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task Events_ManyInOnePass_GoOutInTheOrderOfTheLog()
    {
        const int Many = 300;
        await using var host = await BrokerVirtualHost.CreateAsync();
        using var broker = new CuttableProxy(host.Address.Host, host.Address.Port);
        broker.Cut();
        await using var farm = await TestFarm.StartAsync("--Bus:Kind=rabbitmq", $"--Bus:Uri={broker.Through(host.Address)}");
        await farm.RegisterWorkerAsync();
        var matrix = new { @base = new { model = "tiny" }, matrix = new { prompt = Enumerable.Range(0, Many).Select(i => $"clip {i}") } };
        (await farm.User.PostAsJsonAsync("/v1/batches", matrix)).EnsureSuccessStatusCode();
        await using var connection = await new ConnectionFactory { Uri = host.Address }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync("renderfarm.events", ExchangeType.Topic, durable: true);
        var queue = await channel.QueueDeclareAsync();
        await channel.QueueBindAsync(queue.QueueName, "renderfarm.events", "#");
        var places = new List<long>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, message) =>
        {
            lock (places)
            {
                places.Add(long.Parse(message.BasicProperties.MessageId!.AsSpan("evt_".Length), CultureInfo.InvariantCulture));
            }

            return Task.CompletedTask;
        };
        await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer);

        broker.Restore();
        await Eventually.TrueAsync(() => Task.FromResult(places.Count >= Many), Soon, "the events");

        Assert.Equal(Enumerable.Range(1, Many).Select(place => (long)place), places.Take(Many));
    }

    [Fact]
    public async Task Stop_BrokerFrozenWithEventsOnTheirWay_EndsInTime()
    {
        await using var host = await BrokerVirtualHost.CreateAsync();
        using var broker = new CuttableProxy(host.Address.Host, host.Address.Port);
        var farm = await TestFarm.StartAsync("--Bus:Kind=rabbitmq", $"--Bus:Uri={broker.Through(host.Address)}");
        await farm.RegisterWorkerAsync();
        await ListeningAsync(host);
        broker.Stall();
        for (var i = 0; i < 10; i++)
        {
            await farm.SubmitAsync();
        }

        var clock = Stopwatch.StartNew();
        await farm.DisposeAsync();

        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(12), $"took {clock.Elapsed}");
    }

    private static Task ListeningAsync(BrokerVirtualHost broker) =>
        Eventually.TrueAsync(
            async () =>
                (await broker.ListAsync("queues")).Any(queue =>
                    (string)queue["name"]! == "renderfarm.intake" && (int?)queue["consumers"] is 1
                ),
            Soon,
            "somebody to hear the intake"
        );

    private static async Task<int> UnackedAsync(BrokerVirtualHost broker) =>
        (int?)(await broker.ListAsync("queues")).Single(queue => (string)queue["name"]! == "renderfarm.intake")["messages_unacknowledged"]
        ?? 0;

    private static async Task PublishAsync(Uri broker, string id, string key)
    {
        await using var connection = await new ConnectionFactory { Uri = broker }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        var properties = new BasicProperties
        {
            MessageId = id,
            Headers = new Dictionary<string, object?> { ["x-api-key"] = key },
        };
        await channel.BasicPublishAsync(
            "renderfarm.intake",
            "",
            mandatory: true,
            properties,
            Encoding.UTF8.GetBytes("""{"prompt":"a ball","model":"tiny"}""")
        );
    }
}
