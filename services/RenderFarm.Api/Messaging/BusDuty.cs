using MassTransit;
using RenderFarm.Hosting.Loops;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// A receive endpoint that is begun anew, from its declarations on, soon after its channel or the broker has gone. MassTransit by itself
/// waits longer with every try, up to half a minute.
/// </summary>
internal abstract partial class BusDuty(IBus bus, TimeProvider time, ILogger logger) : ILoop
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    public abstract string Name { get; }

    /// <summary>Bells, events and intake are worth a look more often than others.</summary>
    public TimeSpan LongestPause => TimeSpan.FromSeconds(1);

    /// <summary>The queue's name, asked for at every beginning.</summary>
    protected abstract string Queue { get; }

    protected abstract void Configure(IRabbitMqReceiveEndpointConfigurator endpoint);

    /// <summary>Runs beside the endpoint until the token, which also says that the channel is gone.</summary>
    protected virtual Task RunBesideAsync(CancellationToken gone) => Task.Delay(Timeout.InfiniteTimeSpan, time, gone);

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        await using var endpoint = Begin();
        try
        {
            await endpoint.Ready.WaitAsync(cancellationToken);
            standing.Well();
            using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var running = RunBesideAsync(gone.Token);
            await Task.WhenAny(running, endpoint.Gone);
            await gone.CancelAsync();
            await running;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // Whatever a broker's client throws: it is the broker that is away
            throw new BrokerAwayException(e is OperationCanceledException ? "The channel to the broker is gone." : e.Message, e);
        }
    }

    private BegunEndpoint Begin()
    {
        var watch = new EndpointWatch();
        var handle = bus.ConnectReceiveEndpoint(
            Queue,
            endpoint =>
            {
                endpoint.ConnectReceiveEndpointObserver(watch);
                endpoint.ConfigureConsumeTopology = false;
                Configure((IRabbitMqReceiveEndpointConfigurator)endpoint);
            }
        );
        return new BegunEndpoint(handle, watch, LogUnended);
    }

    [LoggerMessage(EventId = 403, Level = LogLevel.Debug, Message = "The endpoint {Queue} was given up before it had ended: {Cause}")]
    private partial void LogUnended(Uri queue, string cause);

    private sealed class BegunEndpoint(HostReceiveEndpointHandle handle, EndpointWatch watch, Action<Uri, string> unended)
        : IAsyncDisposable
    {
        public Task Ready => watch.Ready;

        public Task Gone => watch.Gone;

        public async ValueTask DisposeAsync()
        {
            using var patience = new CancellationTokenSource(StopPatience);
            try
            {
                await handle.StopAsync(patience.Token);
            }
            catch (Exception e)
            {
                // It has left the bus all the same; what still runs of it ends with its channel.
                unended(handle.ReceiveEndpoint.InputAddress, e.Message);
            }
        }
    }

    /// <summary>MassTransit's word on an endpoint: there, and gone. A try that failed is gone too.</summary>
    private sealed class EndpointWatch : IReceiveEndpointObserver
    {
        private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Ready => _ready.Task;

        public Task Gone => _gone.Task;

        Task IReceiveEndpointObserver.Ready(ReceiveEndpointReady ready)
        {
            _ready.TrySetResult();
            return Task.CompletedTask;
        }

        public Task Stopping(ReceiveEndpointStopping stopping) => Task.CompletedTask;

        public Task Completed(ReceiveEndpointCompleted completed)
        {
            _gone.TrySetResult();
            return Task.CompletedTask;
        }

        public Task Faulted(ReceiveEndpointFaulted faulted)
        {
            _ready.TrySetException(faulted.Exception ?? new InvalidOperationException("The endpoint has failed."));
            _gone.TrySetResult();
            return Task.CompletedTask;
        }
    }
}
