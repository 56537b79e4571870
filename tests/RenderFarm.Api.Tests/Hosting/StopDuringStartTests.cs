using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RenderFarm.Api.Composition;
using RenderFarm.Api.Hosting;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Hosting;

/// <summary>Told to stop while it starts, the host gives up by an exception: some of its services have begun, others not.</summary>
public sealed class StopDuringStartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Nothing listens on the discard port.</summary>
    private static readonly string[] BrokerAway = ["--Bus:Kind=rabbitmq", "--Bus:Uri=amqp://guest:guest@127.0.0.1:9/"];

    public static MatrixTheoryData<Moment, bool, bool> Moments => new(Enum.GetValues<Moment>(), [true, false], [true, false]);

    [Theory]
    [MemberData(nameof(Moments))]
    public async Task Serve_ToldToStopWhileItStarts_Ends(Moment moment, bool first, bool broker)
    {
        using var home = new TemporaryFolder();
        var stopper = new StopsAt(moment);
        await using var app = FarmApi.Build(
            [
                $"--RENDERFARM_HOME={home.Path}",
                "--Api:Url=http://127.0.0.1:0",
                "--Logging:LogLevel:Default=None",
                .. broker ? BrokerAway : [],
            ],
            builder => builder.Services.Insert(first ? 0 : builder.Services.Count, ServiceDescriptor.Singleton<IHostedService>(stopper))
        );
        stopper.Lifetime = app.Lifetime;
        if (moment == Moment.AllStarted)
        {
            app.Lifetime.ApplicationStarted.Register(app.Lifetime.StopApplication);
        }

        await app.ServeAsync().WaitAsync(Patience, TestContext.Current.CancellationToken);

        Assert.True(app.Lifetime.ApplicationStopped.IsCancellationRequested);
    }

    public enum Moment
    {
        Starting,
        Start,
        Started,
        AllStarted,
    }

    private sealed class StopsAt(Moment when) : IHostedLifecycleService
    {
        public IHostApplicationLifetime? Lifetime { get; set; }

        public Task StartingAsync(CancellationToken cancellationToken) => At(Moment.Starting);

        public Task StartAsync(CancellationToken cancellationToken) => At(Moment.Start);

        public Task StartedAsync(CancellationToken cancellationToken) => At(Moment.Started);

        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        private Task At(Moment now)
        {
            if (now == when)
            {
                Lifetime!.StopApplication();
            }

            return Task.CompletedTask;
        }
    }
}
