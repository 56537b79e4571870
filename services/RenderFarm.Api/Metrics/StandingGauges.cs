using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Probes;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Webhooks;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Metrics;

/// <summary>
/// How what the farm stands on does: workers and slots, the log of events and its readers, webhooks, the artifact store. Asked for every
/// so often, not by each scrape; what can't be asked keeps its last figures.
/// </summary>
internal sealed class StandingGauges : ILoop
{
    /// <summary>Of <see cref="EventLog.ForwardAsync"/>, by the name under which it is kept.</summary>
    private const string BrokerReader = "broker";

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    private readonly WorkerRegistry _workers;
    private readonly EventLog _log;
    private readonly DeliveryStore _deliveries;
    private readonly ArtifactProbe _artifacts;
    private readonly TimeProvider _time;
    private readonly bool _hasBroker;
    private volatile Standing? _now;

    public StandingGauges(
        WorkerRegistry workers,
        EventLog log,
        DeliveryStore deliveries,
        ArtifactProbe artifacts,
        IOptions<BusOptions> bus,
        TimeProvider time,
        IMeterFactory factory
    )
    {
        (_workers, _log, _deliveries, _artifacts, _time) = (workers, log, deliveries, artifacts, time);
        _hasBroker = bus.Value.IsRabbitMq;
        var meter = factory.Create(ApiInstruments.Meter);
        meter.Observe(ApiInstruments.Workers, Workers);
        meter.Observe(ApiInstruments.Slots, Slots);
        meter.Observe(ApiInstruments.OutboxPending, () => Readers(backlog => backlog.Count));
        meter.Observe(ApiInstruments.OutboxLag, () => Readers(backlog => backlog.Seconds));
        meter.Observe<int>(ApiInstruments.WebhookPending, () => _now is { } now ? [new(now.Webhooks.Count)] : []);
        meter.Observe<double>(ApiInstruments.WebhookOldestAge, () => _now is { } now ? [new(now.Webhooks.Seconds)] : []);
        meter.Observe<int>(ApiInstruments.ArtifactsUp, () => _artifacts.Last is { } tried ? [new(tried.Fault is null ? 1 : 0)] : []);
    }

    public string Name => "standing_gauges";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        while (true)
        {
            await _artifacts.LookAsync(cancellationToken);
            _now = new Standing(
                await _workers.ListAsync(cancellationToken),
                await _log.UnplacedAsync(cancellationToken),
                _hasBroker ? await _log.BacklogAsync(BrokerReader, cancellationToken) : null,
                await _deliveries.BacklogAsync(cancellationToken)
            );
            standing.Well();
            await Task.Delay(Period, _time, cancellationToken);
        }
    }

    private IEnumerable<Measurement<int>> Workers() =>
        _now is not { } now
            ? []
            : Enum.GetValues<WorkerStatus>()
                .Select(status => new Measurement<int>(
                    now.Workers.Count(worker => worker.Status == status),
                    new KeyValuePair<string, object?>("state", Word.Of(status))
                ));

    /// <summary>Every state of every worker, so that one that comes and goes is a change of a figure and no new figure.</summary>
    private IEnumerable<Measurement<int>> Slots() =>
        _now is not { } now
            ? []
            // A name is a label: of two that have it, the one that was heard of last
            : from worker in now.Workers.OrderByDescending(worker => worker.SeenAt).DistinctBy(worker => worker.Name)
              from state in Enum.GetValues<SlotState>()
              select new Measurement<int>(
                  worker.Slots.Count(slot => StateOf(worker, slot.Id) == state),
                  new("worker", worker.Name),
                  new("state", Word.Of(state))
              );

    private static SlotState StateOf(FarmWorker worker, string slot) =>
        // One that was drained may be switched off by whoever drained it
        worker.HasLeft || worker is { IsLive: false, Draining: true } ? SlotState.Stopped
        : !worker.IsLive ? SlotState.Gone
        : worker.QuarantineOf(slot) is not null ? SlotState.Quarantined
        : worker.Draining ? SlotState.Draining
        : SlotState.Ready;

    private IEnumerable<Measurement<T>> Readers<T>(Func<EventBacklog, T> figure)
        where T : struct
    {
        if (_now is not { } now)
        {
            yield break;
        }

        yield return new Measurement<T>(figure(now.Log), new KeyValuePair<string, object?>("reader", "log"));
        if (now.Broker is { } broker)
        {
            yield return new Measurement<T>(figure(broker), new KeyValuePair<string, object?>("reader", BrokerReader));
        }
    }

    /// <param name="Broker">Null in a farm without one.</param>
    private sealed record Standing(IReadOnlyList<FarmWorker> Workers, EventBacklog Log, EventBacklog? Broker, EventBacklog Webhooks);
}
