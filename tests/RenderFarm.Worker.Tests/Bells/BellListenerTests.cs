using System.Net.Sockets;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Messages;
using RenderFarm.Testing;
using RenderFarm.Worker.Bells;
using RenderFarm.Worker.Tests.Farm;

namespace RenderFarm.Worker.Tests.Bells;

public sealed class BellListenerTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Start_CpuSlot_ListensToItsClassAndItsControlQueueOnly()
    {
        await using var broker = await BrokerVirtualHost.CreateAsync(TestContext.Current.CancellationToken);
        await using var worker = await WithBrokerAsync(broker.Address);
        await worker.StartAsync();

        string[] queues =
        [
            .. await Eventually.ValueAsync(
                () => broker.QueuesAsync(TestContext.Current.CancellationToken),
                q => q.Count >= 2,
                Soon,
                "the worker's queues",
                TestContext.Current.CancellationToken
            ),
        ];

        Assert.Equal(["renderfarm.jobs.cpu", "renderfarm.worker.worker_1"], queues.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Ring_BellOfTheClass_IsHeardAndPutDown()
    {
        await using var broker = await BrokerVirtualHost.CreateAsync(TestContext.Current.CancellationToken);
        await using var worker = await WithBrokerAsync(broker.Address);
        await worker.StartAsync();
        await ListeningAsync(broker);
        var heard = worker.Services.GetRequiredService<Doorbell>().WaitAsync(Soon, TestContext.Current.CancellationToken);

        await SendAsync(broker.Address, Contracts.Messages.Bells.Queue(0), new JobQueued("video_1", "cpu"));

        var began = TimeProvider.System.GetTimestamp();
        await heard;
        Assert.True(TimeProvider.System.GetElapsedTime(began) < Soon / 2, "the wait ended by its limit, not by the bell");
    }

    [Fact]
    public async Task Cancel_ByTheControlQueue_StopsTheAttemptBeforeARenewalCould()
    {
        await using var broker = await BrokerVirtualHost.CreateAsync(TestContext.Current.CancellationToken);
        await using var worker = await WithBrokerAsync(broker.Address);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();
        await ListeningAsync(broker);
        await Eventually.TrueAsync(
            () => Task.FromResult(worker.Desk.Renewals.Any(r => r.Request.Step == 1)),
            Soon,
            "the job to be at work",
            TestContext.Current.CancellationToken
        );

        await SendAsync(broker.Address, Contracts.Messages.Bells.ControlQueue("worker_1"), CancelAttempt.Of(job.Lease.Name));

        // No renewal has said so: the desk was never told of a cancellation
        Assert.Equal(FailureReason.Cancelled, (await worker.Desk.FailedAsync(job)).Reason);
    }

    [Fact]
    public async Task Start_BrokerAway_JobsRunAllTheSame()
    {
        using var closed = new TcpListener(System.Net.IPAddress.Loopback, 0);
        closed.Start();
        var port = ((System.Net.IPEndPoint)closed.LocalEndpoint).Port;
        closed.Stop();
        await using var worker = await WithBrokerAsync(new Uri($"amqp://guest:guest@127.0.0.1:{port}/"), StubRenderer.Good);
        var job = worker.Desk.Queue(WorkerUnderTest.Spec);
        await worker.StartAsync();

        await worker.Desk.CompletedAsync(job);
        worker.RequestDrain();
        await worker.EndAsync();
    }

    /// <summary>Its patience is well below the half minute that the bus itself would wait by then.</summary>
    [Fact]
    public async Task Start_BrokerComesLateAndGoesOnce_IsHeardSoonEachTime()
    {
        var soon = TimeSpan.FromSeconds(20);
        await using var broker = await BrokerVirtualHost.CreateAsync(TestContext.Current.CancellationToken);
        using var line = new CuttableProxy(broker.Address.Host, broker.Address.Port);
        line.Cut();
        await using var worker = await WithBrokerAsync(line.Through(broker.Address));
        await worker.StartAsync();
        await Eventually.TrueAsync(
            () => Task.FromResult(!worker.Desk.Registrations.IsEmpty),
            Soon,
            "the worker to register without a broker",
            TestContext.Current.CancellationToken
        );

        foreach (var time in (string[])["first", "second"])
        {
            line.Restore();
            await Eventually.TrueAsync(
                async () =>
                    (await broker.ListAsync("queues", TestContext.Current.CancellationToken)).Count(q => (int?)q["consumers"] is 1) == 2,
                soon,
                $"the worker to listen for the {time} time",
                TestContext.Current.CancellationToken
            );
            line.Cut();
            await Eventually.TrueAsync(
                async () =>
                    (await broker.ListAsync("queues", TestContext.Current.CancellationToken)).All(q => (int?)q["consumers"] is not 1),
                Soon,
                "the broker to see the line cut",
                TestContext.Current.CancellationToken
            );
        }
    }

    private static async Task<WorkerUnderTest> WithBrokerAsync(Uri broker, string renderer = StubRenderer.Endless)
    {
        var worker = await WorkerUnderTest.CreateAsync(renderer);
        worker.Set("Bus:Kind", "rabbitmq");
        worker.Set("Bus:Uri", broker.AbsoluteUri);
        return worker;
    }

    private static Task ListeningAsync(BrokerVirtualHost broker) =>
        Eventually.TrueAsync(
            async () => (await broker.QueuesAsync(TestContext.Current.CancellationToken)).Count >= 2,
            Soon,
            "the worker's queues",
            TestContext.Current.CancellationToken
        );

    /// <summary>As the API sends: to the exchange, which it declares, whoever comes first.</summary>
    private static async Task SendAsync<T>(Uri broker, string exchange, T message)
        where T : class
    {
        var user = broker.UserInfo.Split(':');
        var bus = Bus.Factory.CreateUsingRabbitMq(configure =>
            configure.Host(
                broker.Host,
                (ushort)broker.Port,
                broker.AbsolutePath.Trim('/'),
                h =>
                {
                    h.Username(user[0]);
                    h.Password(user[1]);
                }
            )
        );
        await bus.StartAsync(TestContext.Current.CancellationToken);
        var endpoint = await bus.GetSendEndpoint(new Uri($"exchange:{exchange}"));
        await endpoint.Send(message, TestContext.Current.CancellationToken);
        await bus.StopAsync(TestContext.Current.CancellationToken);
    }
}
