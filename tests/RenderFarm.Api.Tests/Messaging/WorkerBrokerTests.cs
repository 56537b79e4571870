using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using RenderFarm.Api.Messaging;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Messages;
using RenderFarm.Jobs.Workers;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Messaging;

/// <summary>What a worker's own user on the broker may do: hear bells and its control queue, and nothing else.</summary>
public sealed class WorkerBrokerTests : IAsyncLifetime
{
    private const string Secret = "rf_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private BrokerVirtualHost? _host;
    private TestFarm _farm = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await BrokerVirtualHost.CreateAsync();
        _farm = await TestFarm.StartAsync(
            "--Bus:Kind=rabbitmq",
            $"--Bus:Uri={_host.Address}",
            $"--Bus:ManagementUri={TestServices.RabbitMqManagement}"
        );
        await Eventually.TrueAsync(
            async () => (await _host.QueuesAsync()).Contains("renderfarm.intake.rejected"),
            TimeSpan.FromSeconds(30),
            "the intake queues"
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            if (_farm is not null)
            {
                await _farm.DisposeAsync();
            }

            await _host.DisposeAsync();
        }
    }

    [Fact]
    public async Task WorkersUser_HearsBellsAndItsControlQueue_AndReachesNothingElse()
    {
        var enrolled = await EnrollAsync();
        await using var connection = await ConnectAsync(enrolled);

        foreach (var own in new[] { Bells.Queue(0), Bells.Queue(24), Bells.ControlQueue(enrolled.WorkerId) })
        {
            Assert.Null(await RefusedAsync(connection, channel => HearAsync(channel, own)));
        }

        foreach (var other in new[] { Bells.ControlQueue("worker_2"), Bells.RejectedIntakeQueue, "renderfarm.intake", "anything" })
        {
            Assert.Equal("ACCESS_REFUSED", await RefusedAsync(connection, channel => HearAsync(channel, other)));
        }

        foreach (var exchange in new[] { Bells.IntakeExchange, Bells.EventsExchange, "" })
        {
            Assert.Equal(
                "ACCESS_REFUSED",
                await RefusedAsync(
                    connection,
                    async channel => await channel.BasicPublishAsync(exchange, "renderfarm.intake", "{}"u8.ToArray())
                )
            );
        }
    }

    [Fact]
    public async Task Revoke_EndsTheUserAndItsConnection()
    {
        var enrolled = await EnrollAsync();
        await using var connection = await ConnectAsync(enrolled);
        var ended = new TaskCompletionSource();
        connection.ConnectionShutdownAsync += (_, _) =>
        {
            ended.TrySetResult();
            return Task.CompletedTask;
        };

        (await _farm.User.DeleteAsync($"/v1/workers/{enrolled.WorkerId}")).EnsureSuccessStatusCode();

        await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<BrokerUnreachableException>(() => ConnectAsync(enrolled));
    }

    [Fact]
    public async Task RevokedWhileTheBrokerWasAway_ItsUserGoesLater()
    {
        var enrolled = await EnrollAsync();
        var broker = _farm.Services.GetRequiredService<RabbitMqWorkers>();
        (await _farm.User.DeleteAsync($"/v1/workers/{enrolled.WorkerId}")).EnsureSuccessStatusCode();
        await broker.AdmitAsync(enrolled.WorkerId, TestContext.Current.CancellationToken);
        Assert.Contains(enrolled.WorkerId, await broker.NamesAsync(TestContext.Current.CancellationToken));

        await new RevokedUsers(broker, _farm.Services.GetRequiredService<WorkerRegistry>(), TimeProvider.System).RunOnceAsync(
            TestContext.Current.CancellationToken
        );

        Assert.DoesNotContain(enrolled.WorkerId, await broker.NamesAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Enroll_WhileTheManagementInterfaceIsAway_WorksByLongPoll()
    {
        await using var farm = await TestFarm.StartAsync(
            "--Bus:Kind=rabbitmq",
            $"--Bus:Uri={_host!.Address}",
            "--Bus:ManagementUri=http://guest:guest@127.0.0.1:9"
        );
        Assert.Null((await EnrollAsync(farm)).Bus);
    }

    /// <summary>As a worker declares what it listens to: an exchange and a queue of one name, bound.</summary>
    private static async Task HearAsync(IChannel channel, string name)
    {
        await channel.ExchangeDeclareAsync(name, ExchangeType.Fanout, durable: true);
        await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false);
        await channel.QueueBindAsync(name, name, "");
        await channel.BasicGetAsync(name, autoAck: true);
    }

    /// <returns>The first word of the broker's refusal; null: none.</returns>
    private static async Task<string?> RefusedAsync(IConnection connection, Func<IChannel, Task> act)
    {
        var channel = await connection.CreateChannelAsync(new CreateChannelOptions(true, true));
        try
        {
            await act(channel);
            return null;
        }
        catch (Exception e) when (e is OperationInterruptedException or PublishException or AlreadyClosedException)
        {
            await Eventually.TrueAsync(() => Task.FromResult(channel.CloseReason is not null), TimeSpan.FromSeconds(10), "the refusal");
            return channel.CloseReason!.ReplyText.Split(' ')[0];
        }
        finally
        {
            await channel.DisposeAsync();
        }
    }

    private static Task<IConnection> ConnectAsync(EnrollReply enrolled) =>
        new ConnectionFactory { Uri = new Uri(enrolled.Bus!.Uri), AutomaticRecoveryEnabled = false }.CreateConnectionAsync();

    private async Task<EnrollReply> EnrollAsync(TestFarm? farm = null)
    {
        farm ??= _farm;
        var made = await farm.User.PostAsync("/v1/workers/invitations", System.Net.Http.Json.JsonContent.Create(new { }));
        Assert.True(JoinLine.TryParse((string)(await made.JsonAsync())["join"]!, out var line));
        using var nobody = farm.ClientWith(null);
        return await (
            await nobody.PostContractAsync(
                "/worker/v1/enroll",
                new EnrollRequest
                {
                    Token = line.Token,
                    Secret = Secret,
                    Identity = SimulatedWorker.IdentityOf("w1"),
                    Name = "w1",
                    Host = "testhost",
                    Version = "1.0",
                    Protocol = WorkerProtocol.Current,
                }
            )
        ).ContractAsync<EnrollReply>();
    }
}
