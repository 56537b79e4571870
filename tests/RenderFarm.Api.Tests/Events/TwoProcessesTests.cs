using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Events;

/// <summary>Two API processes on one database: what happens at one is told at the other.</summary>
public sealed class TwoProcessesTests
{
    [Fact]
    public async Task Events_WatchedAtOneAndReportedAtTheOther_CrossByTheBroker()
    {
        await using var broker = await BrokerVirtualHost.CreateAsync();
        await using var database = await PostgresDatabase.CreateAsync();
        string[] settings = [.. Store(database), "--Bus:Kind=rabbitmq", $"--Bus:Uri={broker.Address}"];
        await using var one = await TestFarm.StartAsync(settings);
        await using var two = await TestFarm.StartAsync([.. settings, $"--Keys:BootstrapFile={one.KeysFile}"]);
        await Eventually.TrueAsync(
            async () => (await broker.QueuesAsync()).Count(name => name.StartsWith("renderfarm.notices.", StringComparison.Ordinal)) == 2,
            TimeSpan.FromSeconds(20),
            "both to listen"
        );
        var worker = await one.RegisterWorkerAsync();
        var id = (string)(await one.SubmitAsync())["id"]!;

        await using var events = await EventReader.OpenAsync(two.User, $"/v1/videos/{id}/events?preview=true");
        await events.NextAsync("video.queued");
        var lease = (await one.LeaseAsync(worker))!;
        await one.RenewAsync(lease, RenderStage.Loading, 0);
        await events.NextAsync("video.started");

        // The wish for pictures goes the other way
        await Eventually.TrueAsync(async () => (await one.ReportAsync(lease, 1)).Preview, TimeSpan.FromSeconds(10), "the wish to cross");
        await one.ReportAsync(lease, 2, [1, 2, 3]);
        Assert.Equal("AQID", (string)(await events.NextAsync("video.preview")).Data["data"]!);
        for (var step = 3; step <= 8; step++)
        {
            await one.ReportAsync(lease, step);
            Assert.Equal(step, (int)(await events.NextAsync("video.progress")).Data["step"]!);
        }
    }

    [Fact]
    public async Task Events_WithoutABroker_CrossByTheDatabase()
    {
        await using var database = await PostgresDatabase.CreateAsync();
        await using var one = await TestFarm.StartAsync(Store(database));
        await using var two = await TestFarm.StartAsync([.. Store(database), $"--Keys:BootstrapFile={one.KeysFile}"]);
        var worker = await one.RegisterWorkerAsync();
        var id = (string)(await one.SubmitAsync())["id"]!;

        await using var events = await EventReader.OpenAsync(two.User, $"/v1/videos/{id}/events");
        await events.NextAsync("video.queued");
        var lease = (await one.LeaseAsync(worker))!;
        await one.RenewAsync(lease, RenderStage.Denoising, 3);
        await events.NextAsync("video.started");
        Assert.Equal(3, (int)(await events.NextAsync("video.progress")).Data["step"]!);
        (await one.CompleteAsync(lease, await one.UploadAsync(lease, [1]))).EnsureSuccessStatusCode();
        await events.NextAsync("video.completed");
    }

    [Fact]
    public async Task EventPublisher_BrokerComesLate_GetsEveryEventOnceInOrder()
    {
        await using var virtualHost = await BrokerVirtualHost.CreateAsync();
        await using var database = await PostgresDatabase.CreateAsync();
        using var proxy = new CuttableProxy(virtualHost.Address.Host, virtualHost.Address.Port);
        proxy.Cut();
        await using var farm = await TestFarm.StartAsync([
            .. Store(database),
            "--Bus:Kind=rabbitmq",
            $"--Bus:Uri={proxy.Through(virtualHost.Address)}",
        ]);
        var worker = await farm.RegisterWorkerAsync();
        var id = (string)(await farm.SubmitAsync(new { prompt = "a ball", metadata = new { shot = "7" } }))["id"]!;

        await using var connection = await new ConnectionFactory { Uri = virtualHost.Address }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        await channel.ExchangeDeclareAsync("renderfarm.events", ExchangeType.Topic, durable: true);
        var queue = await channel.QueueDeclareAsync();
        await channel.QueueBindAsync(queue.QueueName, "renderfarm.events", "video.*.tiny");
        var got = Channel.CreateUnbounded<(string Key, string? MessageId, JsonNode Video)>();
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, message) =>
            await got.Writer.WriteAsync(
                (message.RoutingKey, message.BasicProperties.MessageId, JsonNode.Parse(Encoding.UTF8.GetString(message.Body.Span))!)
            );
        await channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer);
        proxy.Restore();

        var lease = (await farm.LeaseAsync(worker))!;
        await farm.RenewAsync(lease);
        (await farm.CompleteAsync(lease, await farm.UploadAsync(lease, [1]))).EnsureSuccessStatusCode();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var told = new List<(string Key, string? MessageId, JsonNode Video)>();
        while (told.Count < 3)
        {
            told.Add(await got.Reader.ReadAsync(limit.Token));
        }

        Assert.Equal(["video.queued.tiny", "video.started.tiny", "video.completed.tiny"], told.Select(e => e.Key));
        Assert.Equal(["queued", "in_progress", "completed"], told.Select(e => (string)e.Video["status"]!));
        Assert.All(told, e => Assert.Equal((id, "7"), ((string)e.Video["id"]!, (string)e.Video["metadata"]!["shot"]!)));
        Assert.Equal(3, told.Select(e => e.MessageId).Distinct().Count());
    }

    private static string[] Store(PostgresDatabase database) =>
        ["--Store:Kind=postgres", $"--Store:ConnectionString={database.ConnectionString}"];
}
