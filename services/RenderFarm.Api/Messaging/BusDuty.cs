using MassTransit;
using RenderFarm.Api.Hosting;

namespace RenderFarm.Api.Messaging;

/// <summary>
/// A receive endpoint that is begun anew, from its declarations on, a second after its channel or the broker has gone. MassTransit by
/// itself waits longer with every try, up to half a minute. What it does touches the job store, so that is waited for first.
/// </summary>
internal abstract partial class BusDuty(IBus bus, Readiness readiness, TimeProvider time, ILogger logger) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    /// <summary>The queue's name, asked for at every beginning.</summary>
    protected abstract string Queue { get; }

    protected abstract void Configure(IRabbitMqReceiveEndpointConfigurator endpoint);

    /// <summary>Runs beside the endpoint until the token, which also says that the channel is gone.</summary>
    protected virtual Task RunAsync(CancellationToken gone) => Task.Delay(Timeout.InfiniteTimeSpan, time, gone);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await readiness.WaitAsync(stoppingToken))
        {
            return;
        }

        var isAway = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var endpoint = Begin();
                await endpoint.Ready.WaitAsync(stoppingToken);
                if (isAway)
                {
                    LogBack(GetType().Name);
                    isAway = false;
                }

                using var gone = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                var running = RunAsync(gone.Token);
                await Task.WhenAny(running, endpoint.Gone);
                await gone.CancelAsync();
                await running;
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever a broker's client throws, and the store's outages: this goes on until both are there.
                if (!isAway && e is not OperationCanceledException)
                {
                    LogAway(GetType().Name, e.Message);
                    isAway = true;
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }

            try
            {
                await Task.Delay(Pause, time, stoppingToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
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

    [LoggerMessage(EventId = 401, Level = LogLevel.Warning, Message = "{Duty} has no broker and tries again every second: {Cause}")]
    private partial void LogAway(string duty, string cause);

    [LoggerMessage(EventId = 402, Level = LogLevel.Information, Message = "{Duty} is on the broker again")]
    private partial void LogBack(string duty);

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
