using System.Diagnostics.Metrics;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Queue;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Api.Metrics;

/// <summary>
/// Jobs by state and the age of queues. The store is asked every few seconds, not by each scrape, and the longer the
/// counting takes the more rarely; while the store is away the last figures stand, and <c>renderfarm.store.up</c> says so.
/// </summary>
internal sealed class QueueGauges : ILoop
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <summary>Of those that have ended, which is a matter of all rows and changes nobody's plans.</summary>
    private static readonly TimeSpan EndedPeriod = TimeSpan.FromMinutes(1);

    /// <summary>Counting may take this part of one connection's time.</summary>
    private const double Share = 0.02;
    private readonly JobStore _jobs;
    private readonly WorkerRegistry _workers;
    private readonly QueuePauses _pauses;
    private readonly ApiKeys _keys;
    private readonly TimeProvider _time;
    private volatile JobCounts? _counts;
    private volatile Fleet? _fleet;
    private volatile IReadOnlyList<ApiKey> _ending = [];
    private volatile IReadOnlyList<QueuePause> _paused = [];
    private volatile IReadOnlyDictionary<JobState, int> _ended = new Dictionary<JobState, int>();
    private volatile bool _storeUp;

    public QueueGauges(
        JobStore jobs,
        WorkerRegistry workers,
        QueuePauses pauses,
        ApiKeys keys,
        TimeProvider time,
        IMeterFactory factory
    )
    {
        (_jobs, _workers, _pauses, _keys, _time) = (jobs, workers, pauses, keys, time);
        var meter = factory.Create(ApiInstruments.Meter);
        meter.Observe(ApiInstruments.Jobs, States);
        meter.Observe(ApiInstruments.QueueDepth, Depths);
        meter.Observe(ApiInstruments.QueueOldestAge, Ages);
        meter.Observe(ApiInstruments.QueueWork, Work);
        meter.Observe(ApiInstruments.QueueSlots, Slots);
        meter.Observe(ApiInstruments.QueuePaused, Paused);
        meter.Observe(ApiInstruments.QueueHeld, Held);
        meter.Observe(ApiInstruments.KeyRemaining, Remaining);
        meter.Observe(ApiInstruments.StoreUp, () => _storeUp ? 1 : 0);
    }

    public string Name => "queue_gauges";

    public async Task RunAsync(LoopStanding standing, CancellationToken cancellationToken)
    {
        var active = new Due(Period);
        var all = new Due(EndedPeriod);
        while (true)
        {
            try
            {
                if (active.IsDue(_time))
                {
                    await active.MeasureAsync(_time, () => CountAsync(cancellationToken));
                }

                if (all.IsDue(_time))
                {
                    await all.MeasureAsync(_time, () => CountEndedAsync(cancellationToken));
                }
            }
            catch
            {
                _storeUp = false;
                throw;
            }

            _storeUp = true;
            standing.Well();
            await Task.Delay(Period, _time, cancellationToken);
        }
    }

    private async Task CountAsync(CancellationToken cancellationToken)
    {
        _fleet = await _workers.FleetAsync(cancellationToken);
        _paused = await _pauses.ListAsync(cancellationToken);
        _counts = await _jobs.CountsAsync(cancellationToken);
    }

    private async Task CountEndedAsync(CancellationToken cancellationToken)
    {
        _ending = [.. (await _keys.ListAsync(cancellationToken)).Where(key => key.ExpiresAt > _time.GetUtcNow())];
        _ended = await _jobs.EndedCountsAsync(cancellationToken);
    }

    /// <summary>All is always told of, so that a rule has a 0 to compare with.</summary>
    private IEnumerable<Measurement<int>> Paused()
    {
        const string All = "all";
        return _paused
            .Select(pause => pause.Part.Model ?? All)
            .Append(All)
            .GroupBy(model => model)
            .Select(of => new Measurement<int>(
                of.Count() - (of.Key == All ? 1 : 0),
                new KeyValuePair<string, object?>("model", of.Key)
            ));
    }

    /// <summary>Of each class the key that ends first; what has ended is nobody's news.</summary>
    private IEnumerable<Measurement<double>> Remaining() =>
        _ending
            .Where(key => key.ExpiresAt > _time.GetUtcNow())
            .GroupBy(key => key.Class)
            .Select(keys => new Measurement<double>(
                keys.Min(key => (key.ExpiresAt!.Value - _time.GetUtcNow()).TotalSeconds),
                KeyClasses.Label(keys.Key)
            ));

    /// <summary>States without a job are shown as 0, so that a rate has something to start from.</summary>
    private IEnumerable<Measurement<int>> States() =>
        _counts is not { } now
            ? []
            : Enum.GetValues<JobState>()
                .Select(state => new Measurement<int>(
                    now.ByState.GetValueOrDefault(state) + _ended.GetValueOrDefault(state),
                    new KeyValuePair<string, object?>("state", Word.Of(state))
                ));

    private IEnumerable<Measurement<int>> Depths() =>
        Waiting().Select(queue => new Measurement<int>(queue.Count, Tags(queue)));

    /// <summary>Of every queue, so that a pause is a change of a figure and no new one.</summary>
    private IEnumerable<Measurement<int>> Held() =>
        _counts is not { } now
            ? []
            : now
                .Queues.GroupBy(queue => (queue.Model, queue.VramClass, queue.KeyClass))
                .Select(of => new Measurement<int>(of.Where(queue => queue.IsHeld).Sum(queue => queue.Count), Tags(of.First())));

    /// <summary>What waits for a card: what a pause holds back waits for whoever made it.</summary>
    private IEnumerable<QueueCount> Waiting() => _counts?.Queues.Where(queue => !queue.IsHeld) ?? [];

    private IEnumerable<Measurement<double>> Ages() =>
        Waiting().Select(queue => new Measurement<double>((_time.GetUtcNow() - queue.OldestQueuedAt).TotalSeconds, Tags(queue)));

    private IEnumerable<Measurement<double>> Work() =>
        Waiting().Select(queue => new Measurement<double>(queue.WorkSeconds, Tags(queue)));

    private IEnumerable<Measurement<int>> Slots() =>
        _fleet is not { } fleet
            ? []
            : Waiting()
                .Select(queue => (queue.Model, queue.VramClass))
                .Distinct()
                .Select(queue => new Measurement<int>(
                    fleet.SlotsFor(queue.Model, queue.VramClass),
                    new("model", queue.Model),
                    new("vram_class", Bells.ClassName(queue.VramClass))
                ));

    private static KeyValuePair<string, object?>[] Tags(QueueCount queue) =>
        [new("model", queue.Model), new("vram_class", Bells.ClassName(queue.VramClass)), KeyClasses.Label(queue.KeyClass)];

    /// <summary>When to count again: after the period, or so much later that counting stays within its share.</summary>
    private sealed class Due(TimeSpan period)
    {
        private long? _last;
        private TimeSpan _pause;

        public bool IsDue(TimeProvider time) => _last is not { } at || time.GetElapsedTime(at) >= _pause;

        public async Task MeasureAsync(TimeProvider time, Func<Task> count)
        {
            var began = time.GetTimestamp();
            await count();
            _last = time.GetTimestamp();
            var rested = time.GetElapsedTime(began) / Share;
            // The pause's own end is a little early or late: half of one is near enough
            _pause = (rested > period ? rested : period) - (Period / 2);
        }
    }
}
