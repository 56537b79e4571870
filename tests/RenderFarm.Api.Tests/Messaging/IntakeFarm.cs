using System.Collections.Concurrent;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Messaging;

/// <summary>A farm on PostgreSQL and a broker, a producer, and somebody who reads the rejected queue.</summary>
public sealed class IntakeFarm : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<RejectedMessage>> _rejected = new();
    private Task? _opening;
    private BrokerVirtualHost? _broker;
    private PostgresDatabase? _database;
    private IConnection? _connection;
    private IChannel _channel = null!;

    public TestFarm Farm { get; private set; } = null!;
    public Uri Broker => _broker!.Address;

    /// <summary>
    /// Started by the first test that asks. Not when the fixture is made: where there is no server tests are skipped, and a fixture
    /// can't skip them.
    /// </summary>
    public Task OpenAsync() => _opening ??= BeginAsync();

    private async Task BeginAsync()
    {
        _broker = await BrokerVirtualHost.CreateAsync();
        _database = await PostgresDatabase.CreateAsync();
        Farm = await TestFarm.StartAsync(
            "--Store:Kind=postgres",
            $"--Store:ConnectionString={_database.ConnectionString}",
            "--Bus:Kind=rabbitmq",
            $"--Bus:Uri={_broker.Address}"
        );
        await Farm.RegisterWorkerAsync();
        await Eventually.TrueAsync(
            async () => (await _broker.QueuesAsync()).Contains("renderfarm.intake.rejected"),
            TimeSpan.FromSeconds(30),
            "the intake queues"
        );
        _connection = await new ConnectionFactory { Uri = _broker.Address }.CreateConnectionAsync();
        _channel = await _connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        var consumer = new AsyncEventingBasicConsumer(_channel);
        consumer.ReceivedAsync += (_, message) =>
        {
            var headers = message.BasicProperties.Headers!.ToDictionary(
                h => h.Key,
                h => h.Value is byte[] bytes ? Encoding.UTF8.GetString(bytes) : h.Value?.ToString() ?? ""
            );
            Of(headers["x-test"])
                .TrySetResult(
                    new RejectedMessage(Encoding.UTF8.GetString(message.Body.Span), headers, new BasicProperties(message.BasicProperties))
                );
            return Task.CompletedTask;
        };
        await _channel.BasicConsumeAsync("renderfarm.intake.rejected", autoAck: true, consumer);
    }

    public async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        if (Farm is not null)
        {
            await Farm.DisposeAsync();
        }

        if (_database is not null)
        {
            await _database.DisposeAsync();
        }

        if (_broker is not null)
        {
            await _broker.DisposeAsync();
        }
    }

    /// <returns>What <see cref="RejectedAsync"/> knows the message by.</returns>
    public async Task<string> SendAsync(
        string? id,
        byte[] body,
        string? key,
        string? type = "application/json",
        params (string Name, object Value)[] headers
    )
    {
        var test = Guid.NewGuid().ToString("N");
        var properties = new BasicProperties
        {
            ContentType = type,
            MessageId = id,
            Expiration = "60000",
            Headers = headers.ToDictionary(h => h.Name, h => (object?)h.Value),
        };
        properties.Headers["x-test"] = test;
        if (key is not null)
        {
            properties.Headers["x-api-key"] = key;
        }

        await _channel.BasicPublishAsync("renderfarm.intake", "any", mandatory: true, properties, body);
        return test;
    }

    public Task<RejectedMessage> RejectedAsync(string sent) => Of(sent).Task.WaitAsync(TimeSpan.FromSeconds(30));

    private TaskCompletionSource<RejectedMessage> Of(string test) =>
        _rejected.GetOrAdd(test, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
}

public sealed record RejectedMessage(string Body, Dictionary<string, string> Headers, BasicProperties Properties)
{
    public string Code => Headers["x-reason-code"];
    public string? Param => Headers.GetValueOrDefault("x-reason-param");
}
