using MassTransit;
using RenderFarm.Api.Hosting;
using RenderFarm.Broker;

namespace RenderFarm.Api.Messaging;

/// <summary>A <see cref="BrokerEndpoint"/> as long as the host. What it does touches the job store, so that is waited for first.</summary>
internal abstract class BusDuty(IBus bus, Readiness readiness, TimeProvider time, ILogger logger) : BackgroundService
{
    /// <inheritdoc cref="BrokerEndpoint.Queue"/>
    protected abstract string Queue { get; }

    protected abstract void Configure(IRabbitMqReceiveEndpointConfigurator endpoint);

    /// <inheritdoc cref="BrokerEndpoint.Beside"/>
    protected virtual Task RunAsync(CancellationToken cancellationToken) =>
        Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);

    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!await readiness.WaitAsync(stoppingToken))
        {
            return;
        }

        await new BrokerEndpoint(bus, time, logger)
        {
            Duty = GetType().Name,
            Queue = () => Queue,
            Configure = Configure,
            Beside = RunAsync,
        }.RunAsync(stoppingToken);
    }
}
