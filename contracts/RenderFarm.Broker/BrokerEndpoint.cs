using MassTransit;
using Microsoft.Extensions.Logging;
using RenderFarm.Hosting.Loops;

namespace RenderFarm.Broker;

/// <summary>
/// A receive endpoint that is begun anew, from its declarations on, soon after its channel or the broker has gone. MassTransit by
/// itself waits longer with every try, up to half a minute.
/// </summary>
/// <param name="bus">The process's own.</param>
/// <param name="logger">Hears of endpoints that would not end.</param>
public sealed partial class BrokerEndpoint(IBus bus, ILogger logger) : ILoop
{
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    /// <summary>Between two tries, at the most.</summary>
    public static TimeSpan Pause { get; } = TimeSpan.FromSeconds(1);

    public required string Name { get; init; }

    public TimeSpan LongestPause => Pause;

    /// <summary>The queue's name, asked for at every beginning.</summary>
    public required Func<string> Queue { get; init; }

    public required Action<IRabbitMqReceiveEndpointConfigurator> Configure { get; init; }

    /// <summary>Runs beside the endpoint until the token, which also says that the channel is gone.</summary>
    public required Func<CancellationToken, Task> Beside { get; init; }

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(standing);
        await using var endpoint = Begin();
        try
        {
            await endpoint.Ready.WaitAsync(cancellationToken);
            standing.Well();
            using var gone = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var running = Beside(gone.Token);
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
            Queue(),
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
