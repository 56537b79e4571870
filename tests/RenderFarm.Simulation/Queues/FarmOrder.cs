using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;
using RenderFarm.Simulation.Demand;
using RenderFarm.Simulation.Supply;

namespace RenderFarm.Simulation.Queues;

/// <summary>
/// The farm's own order in memory: what the lease's statement, a key's turn and the fair clock do to rows is done to objects here. A test
/// holds it against the statement on random queues, and <see cref="BothQueues"/> in a whole simulation.
/// </summary>
internal sealed class FarmOrder(CardPark park) : IJobQueue
{
    /// <summary>As <c>LeaseQueue</c> offers it.</summary>
    public const double CachedHeadStartSeconds = 60;

    private readonly Dictionary<QueuePair, Line> _lines = [];
    private readonly Dictionary<string, KeyState> _keys = [];
    private readonly Dictionary<VideoJob, Entry> _entries = [];
    private double _farmTime;
    private double _mostServed;

    public string Name => "farm";

    /// <summary>What an operator holds back: model and key, empty for all.</summary>
    public HashSet<(string Model, string KeyId)> Pauses { get; } = [];

    public Task SubmitAsync(IReadOnlyList<VideoJob> jobs, double now)
    {
        var key = KeyOf(jobs[0].Customer);
        var seconds = jobs.Sum(job => job.Kind.Needs.EstimatedSeconds);
        key.VirtualTime = Math.Max(key.VirtualTime, _farmTime) + seconds;
        var tag = key.VirtualTime - seconds;
        foreach (var job in jobs)
        {
            Add(new Entry(job, key, tag));
            tag += job.Kind.Needs.EstimatedSeconds;
        }

        return Task.CompletedTask;
    }

    public Task<VideoJob?> TakeAsync(Card card, double now) => Task.FromResult(Take(park.OfferOf(card, CachedHeadStartSeconds, 60), now));

    public VideoJob? Take(SlotOffer offer, double now)
    {
        Entry? best = null;
        var (bestNeeded, bestOrder) = (false, 0.0);
        foreach (var (model, vramClass, needed, elsewhere) in offer.Queues)
        {
            if (
                Pauses.Contains(("", ""))
                || Pauses.Contains((model, ""))
                || !_lines.TryGetValue(new QueuePair(model, vramClass), out var line)
                || (best is not null && bestNeeded && !needed)
                || line.ByOrder.FirstOrDefault(entry => Fits(entry, offer, elsewhere, now)) is not { } head
            )
            {
                continue;
            }

            var order = head.OrderKey - (offer.CachedModels.Contains(model) ? offer.CachedHeadStartSeconds : 0);
            var isBetter =
                best is null
                || (needed && !bestNeeded)
                || (needed == bestNeeded && (order < bestOrder || (order == bestOrder && head.Job.Number < best.Job.Number)));
            if (isBetter)
            {
                (best, bestNeeded, bestOrder) = (head, needed, order);
            }
        }

        if (best is null)
        {
            return null;
        }

        Remove(best);
        best.WasTaken = true;
        best.NotBefore = null;
        best.Avoided = null;
        best.Key.Running++;
        _mostServed = Math.Max(_mostServed, best.StartTag);
        return best.Job;
    }

    public Task EndAsync(VideoJob job, Card card, JobEnd end, double now)
    {
        var entry = _entries[job];
        entry.Key.Running--;
        if (end.State != Contracts.Videos.JobState.Queued)
        {
            _entries.Remove(job);
            return Task.CompletedTask;
        }

        entry.NotBefore = end.RetryAfter > TimeSpan.Zero ? Moments.Microseconds(now, end.RetryAfter.TotalSeconds) : null;
        entry.Avoided =
            end.Avoided > TimeSpan.Zero
                ? new Avoided(card.Worker.Id, card.Kind.Slot.Id, Moments.Microseconds(now, end.Avoided.TotalSeconds))
                : null;
        Add(entry);
        return Task.CompletedTask;
    }

    public Task TickAsync(double now)
    {
        double? least = null;
        foreach (var pair in park.Fleet.Pairs)
        {
            if (
                !Pauses.Contains(("", ""))
                && !Pauses.Contains((pair.Model, ""))
                && _lines.TryGetValue(pair, out var line)
                && line.NeverTaken.FirstOrDefault(entry => !IsHeldBack(entry)) is { } head
                && !(least <= head.StartTag)
            )
            {
                least = head.StartTag;
            }
        }

        _farmTime = Math.Max(_farmTime, least ?? _mostServed);
        return Task.CompletedTask;
    }

    /// <summary>A job as rows of a store would have it, for a queue that did not come about here.</summary>
    public void Put(VideoJob job, double startTag, double? notBeforeIn, Avoided? avoided, double now) =>
        Add(
            new Entry(job, KeyOf(job.Customer), startTag)
            {
                NotBefore = notBeforeIn is { } after ? Moments.Microseconds(now, after) : null,
                Avoided = avoided,
            }
        );

    /// <summary>So many jobs of the key are on cards.</summary>
    public void SetRunning(Customer customer, int running) => KeyOf(customer).Running = running;

    public int RunningOf(Customer customer) => KeyOf(customer).Running;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private bool Fits(Entry entry, SlotOffer offer, Elsewhere elsewhere, double now)
    {
        var at = Moments.Microseconds(now);
        return entry.Job.Kind.Needs.LeastBytes <= offer.FreeBytes
            && !(entry.NotBefore > at)
            && (
                entry.Avoided is not { } avoided
                || avoided.Until <= at
                || avoided.WorkerId != offer.WorkerId
                || elsewhere == Elsewhere.Nowhere
                || (elsewhere == Elsewhere.OtherSlot && avoided.SlotId != offer.SlotId)
            )
            && !IsHeldBack(entry);
    }

    private bool IsHeldBack(Entry entry) =>
        entry.Key.Running >= entry.Job.Customer.MaxRunning
        || Pauses.Contains(("", entry.Job.Customer.KeyId))
        || Pauses.Contains((entry.Job.Kind.Needs.Model, entry.Job.Customer.KeyId));

    private KeyState KeyOf(Customer customer)
    {
        if (!_keys.TryGetValue(customer.KeyId, out var key))
        {
            _keys[customer.KeyId] = key = new KeyState();
        }

        return key;
    }

    private void Add(Entry entry)
    {
        _entries[entry.Job] = entry;
        var pair = new QueuePair(entry.Job.Kind.Needs.Model, entry.Job.Kind.Needs.VramClass);
        if (!_lines.TryGetValue(pair, out var line))
        {
            _lines[pair] = line = new Line();
        }

        line.ByOrder.Add(entry);
        if (!entry.WasTaken)
        {
            line.NeverTaken.Add(entry);
        }
    }

    private void Remove(Entry entry)
    {
        var line = _lines[new QueuePair(entry.Job.Kind.Needs.Model, entry.Job.Kind.Needs.VramClass)];
        line.ByOrder.Remove(entry);
        line.NeverTaken.Remove(entry);
    }

    private sealed class KeyState
    {
        public double VirtualTime { get; set; }
        public int Running { get; set; }
    }

    private sealed class Entry(VideoJob job, KeyState key, double startTag)
    {
        public VideoJob Job => job;
        public KeyState Key => key;
        public double StartTag => startTag;
        public double OrderKey { get; } = Jobs.Intake.OrderKey.Of(startTag, job.Priority);
        public bool WasTaken { get; set; }
        public long? NotBefore { get; set; }
        public Avoided? Avoided { get; set; }
    }

    private sealed class Line
    {
        public SortedSet<Entry> ByOrder { get; } = Sorted(entry => entry.OrderKey);

        /// <summary>The clock looks only at jobs that never ran.</summary>
        public SortedSet<Entry> NeverTaken { get; } = Sorted(entry => entry.StartTag);

        private static SortedSet<Entry> Sorted(Func<Entry, double> by) =>
            new(
                Comparer<Entry>.Create(
                    (one, other) => by(one).CompareTo(by(other)) is var order and not 0 ? order : one.Job.Number.CompareTo(other.Job.Number)
                )
            );
    }
}

/// <summary>Where a job failed, and until when it goes elsewhere if it can.</summary>
/// <param name="Until">Microseconds, as in the store.</param>
internal sealed record Avoided(string WorkerId, string SlotId, long Until);
