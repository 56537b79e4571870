using System.Collections.Concurrent;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// The newest bells of this process. One that is forgotten, because there were more or because the process is new, is rung once
/// more at worst, and a bell too many is only a look too many.
/// </summary>
internal sealed class RungBells(TimeProvider time)
{
    public const int Most = 10_000;
    private readonly ConcurrentDictionary<(string JobId, long Fence), long> _at = new();
    private readonly ConcurrentQueue<((string JobId, long Fence) Job, long At)> _order = new();

    /// <summary>A job that comes back to the queue has another fence, and is rung for anew.</summary>
    public void Note(Announcement job)
    {
        var (key, now) = ((job.JobId, job.Fence), time.GetTimestamp());
        _at[key] = now;
        _order.Enqueue((key, now));
        while (_order.Count > Most && _order.TryDequeue(out var oldest))
        {
            // Only if it was not rung again since
            _at.TryRemove(KeyValuePair.Create(oldest.Job, oldest.At));
        }
    }

    public bool Holds(Announcement job, TimeSpan within) =>
        _at.TryGetValue((job.JobId, job.Fence), out var at) && time.GetElapsedTime(at) < within;
}
