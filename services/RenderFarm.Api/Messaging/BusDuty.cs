using MassTransit;
using RenderFarm.Broker;
using RenderFarm.Hosting.Loops;

namespace RenderFarm.Api.Messaging;

/// <summary>A <see cref="BrokerEndpoint"/> that some part of the API is.</summary>
internal abstract class BusDuty(IBus bus, TimeProvider time, ILogger logger) : ILoop
{
    public abstract string Name { get; }

    public TimeSpan LongestPause => BrokerEndpoint.Pause;

    /// <inheritdoc cref="BrokerEndpoint.Queue"/>
    protected abstract string Queue { get; }

    protected abstract void Configure(IRabbitMqReceiveEndpointConfigurator endpoint);

    /// <inheritdoc cref="BrokerEndpoint.Beside"/>
    protected virtual Task RunBesideAsync(CancellationToken cancellationToken) =>
        Task.Delay(Timeout.InfiniteTimeSpan, time, cancellationToken);

    public Task RunAsync(LoopStanding standing, CancellationToken cancellationToken) =>
        new BrokerEndpoint(bus, logger)
        {
            Name = Name,
            Queue = () => Queue,
            Configure = Configure,
            Beside = RunBesideAsync,
        }.RunAsync(standing, cancellationToken);
}
