using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Forecasts;

/// <param name="Ahead">How many jobs of the same model go first, counted up to 1,000; null when the job does not wait.</param>
/// <param name="Seconds">Until it has ended; null where nothing is known, and for finished jobs.</param>
/// <param name="IsServed">False: no worker that is there and takes jobs has a slot for it. True for jobs that don't wait.</param>
public sealed record Outlook(int? Ahead, double? Seconds, bool IsServed);

/// <summary>
/// Where a job stands and how long it will take, from what renders of its kind took. The line before each model is kept for
/// a moment: this process's own changes of it show at once, those of others within <see cref="Fresh"/>.
/// </summary>
/// <remarks>
/// Mechanics: a job that joins is put into the line that is kept; any other change (<c>version</c>) has it read anew by
/// whoever asks next. Jobs that join while it is read are put in afterwards, so none is missed.
/// Jobs of other models that the same slots serve are counted only once they run.
/// </remarks>
public sealed class QueueForecast
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly string FirstInLine = string.Join(
        " UNION ALL ",
        Bells.Classes.Select(vramClass =>
            $"SELECT * FROM (SELECT order_key, estimated_seconds FROM jobs WHERE {JobTransitions.Queued} AND model = @model "
            + $"AND vram_class = {vramClass} ORDER BY order_key LIMIT {QueueLine.Longest}) c{vramClass}"
        )
    );

    private readonly JobDatabase _database;
    private readonly WorkerRegistry _workers;
    private readonly RenderTimes _times;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<string, Place> _places = new();
    private int _version;

    public QueueForecast(JobDatabase database, WorkerRegistry workers, RenderTimes times, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(database);
        (_database, _workers, _times, _time) = (database, workers, times, time);
        database.QueueChanged += () => Interlocked.Increment(ref _version);
        database.Joined += rows =>
        {
            foreach (var row in rows)
            {
                if (_places.TryGetValue(row.Model, out var place))
                {
                    place.Join(row.OrderKey, row.EstimatedSeconds);
                }
            }
        };
    }

    /// <summary>The line of this model is at hand from now on, as good as any: see <see cref="Promises"/>.</summary>
    internal Task LookAsync(string model, CancellationToken cancellationToken) => LineAsync(model, cancellationToken);

    /// <summary>
    /// How long jobs of these models would wait that joined now, one after the other. Asks nobody, so that whoever holds up others
    /// may ask: the lines have been <see cref="LookAsync">looked at</see> before.
    /// </summary>
    internal StartPromises Promises(IEnumerable<string> models) =>
        new(
            models.Distinct().ToDictionary(model => model, model => _places[model].Line!.Copy(), StringComparer.Ordinal),
            line => _time.GetElapsedTime(line.At).TotalSeconds
        );

    public async Task<Outlook> OfAsync(Job job, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(job);
        switch (job.State)
        {
            case JobState.Queued:
                var line = await LineAsync(job.Spec.Model, cancellationToken);
                var ahead = line.Ahead(job.OrderKey);
                // With nobody there: as if one slot came and took as long as was estimated
                if (line.StartAfter(ahead, job.VramClass) is not var (start, slot))
                {
                    return new Outlook(ahead, job.EstimatedSeconds * (ahead + 1), IsServed: false);
                }

                var own =
                    job.EstimatedSeconds
                    * (
                        (await _times.OfAsync(job.Spec.Model, slot.Card, cancellationToken)).Of(PlanCorrections.GeometryOf(job.Spec))
                        ?? slot.Factor
                    );
                var left = Math.Max(0, start - _time.GetElapsedTime(line.At).TotalSeconds);
                return new Outlook(ahead, left + own, IsServed: true);
            case JobState.Leased or JobState.Rendering when job.LatestLease is { } lease:
                return new Outlook(null, await LeftAsync(job, lease, cancellationToken), IsServed: true);
            case JobState.Uploading:
                return new Outlook(null, 1, IsServed: true);
            default:
                return new Outlook(null, null, IsServed: true);
        }
    }

    /// <summary>
    /// What renders of its kind took, less what has passed; before any was measured, what was planned. Never less than the steps
    /// still to do.
    /// </summary>
    private async Task<double> LeftAsync(Job job, LeaseRecord lease, CancellationToken cancellationToken)
    {
        var measured =
            (await _times.OfAsync(job.Spec.Model, lease.Card, cancellationToken)).Of(PlanCorrections.GeometryOf(job.Spec))
            * job.EstimatedSeconds;
        var all = measured ?? lease.Plan?.PredictedSeconds ?? job.EstimatedSeconds;
        var step = lease.Measurements?.StepSeconds ?? lease.Plan?.PredictedStepSeconds ?? 0;
        var steps =
            job.Stage == RenderStage.Denoising || measured is null && job.Stage < RenderStage.Denoising
                ? (job.Spec.Steps - job.Step) * step
                : 0;
        return Math.Max(Math.Max(all - (_time.GetUtcNow() - lease.LeasedAt).TotalSeconds, steps), 0.5);
    }

    private async Task<QueueLine> LineAsync(string model, CancellationToken cancellationToken)
    {
        var place = _places.GetOrAdd(model, _ => new Place());
        if (IsGood(place.Line))
        {
            return place.Line!;
        }

        using var givenUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            // With the wait for those who look before: each of them takes all its time when the store has frozen
            return await _database.WithinAsync(StorePatience.Request, InTurnAsync(model, place, givenUp.Token), cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            await givenUp.CancelAsync();
            throw;
        }
    }

    private async Task<QueueLine> InTurnAsync(string model, Place place, CancellationToken cancellationToken)
    {
        await place.Turn.WaitAsync(cancellationToken);
        try
        {
            return IsGood(place.Line) ? place.Line! : place.Put(await ReadAsync(model, place, cancellationToken));
        }
        finally
        {
            place.Turn.Release();
        }
    }

    private bool IsGood(QueueLine? line) =>
        line is not null && line.Version == Volatile.Read(ref _version) && _time.GetElapsedTime(line.At) < Fresh;

    private async Task<QueueLine> ReadAsync(string model, Place place, CancellationToken cancellationToken)
    {
        var (at, version) = (_time.GetTimestamp(), Volatile.Read(ref _version));
        place.Begin();
        var (jobs, held) = await _database.ReadAsync(
            async db =>
                (
                    await db.RowsAsync(
                        FirstInLine,
                        row => (OrderKey: row.GetDouble(0), Estimated: row.GetDouble(1)),
                        cancellationToken,
                        ("model", model)
                    ),
                    await (
                        from job in db.Jobs.AsNoTracking().Where(JobTransitions.IsRunning)
                        join lease in db.LeaseRecords on new { JobId = job.Id, job.Fence } equals new { lease.JobId, lease.Fence }
                        select new Held(
                            job.LeaseWorkerId!,
                            job.LeaseSlotId!,
                            lease.Model,
                            lease.Card,
                            lease.Geometry ?? "",
                            lease.LeasedAt,
                            job.EstimatedSeconds
                        )
                    ).ToListAsync(cancellationToken)
                ),
            cancellationToken
        );
        var now = _time.GetUtcNow();
        var busy = held.ToLookup(job => (job.WorkerId, job.SlotId));
        var slots = new List<(SlotTime, int)>();
        foreach (var slot in (await _workers.FleetAsync(cancellationToken)).Serving(model))
        {
            double left = 0;
            foreach (var job in busy[(slot.WorkerId, slot.SlotId)])
            {
                left = Math.Max(
                    left,
                    (job.Estimated * ((await _times.OfAsync(job.Model, job.Card, cancellationToken)).Of(job.Geometry) ?? 1))
                        - (now - job.LeasedAt).TotalSeconds
                );
            }

            slots.Add(
                (
                    new SlotTime(slot.Card, Math.Max(0, left), (await _times.OfAsync(model, slot.Card, cancellationToken)).OfAny ?? 1),
                    slot.LargestClass
                )
            );
        }
        return new QueueLine([.. jobs.OrderBy(job => job.OrderKey).Take(QueueLine.Longest)], slots, at, version);
    }

    private sealed record Held(
        string WorkerId,
        string SlotId,
        string Model,
        string Card,
        string Geometry,
        DateTimeOffset LeasedAt,
        double Estimated
    );

    /// <summary>One model's line, and the jobs that have joined since it was begun to be read.</summary>
    private sealed class Place
    {
        private readonly Lock _gate = new();
        private readonly List<(double OrderKey, double Estimated)> _meanwhile = [];
        private bool _reading;
        private volatile QueueLine? _line;

        public SemaphoreSlim Turn { get; } = new(1);
        public QueueLine? Line => _line;

        public void Begin()
        {
            lock (_gate)
            {
                _meanwhile.Clear();
                _reading = true;
            }
        }

        public QueueLine Put(QueueLine line)
        {
            lock (_gate)
            {
                // One that was read already is not counted twice
                foreach (var (orderKey, estimated) in _meanwhile)
                {
                    if (!line.Holds(orderKey))
                    {
                        line.Join(orderKey, estimated);
                    }
                }

                _reading = false;
                return _line = line;
            }
        }

        public void Join(double orderKey, double estimated)
        {
            lock (_gate)
            {
                _line?.Join(orderKey, estimated);
                if (_reading)
                {
                    _meanwhile.Add((orderKey, estimated));
                }
            }
        }
    }
}
