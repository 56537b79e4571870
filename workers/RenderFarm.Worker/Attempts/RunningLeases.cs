using System.Collections.Concurrent;

namespace RenderFarm.Worker.Attempts;

/// <summary>The leases this worker holds, so that a cancellation from the control queue finds its way.</summary>
public sealed class RunningLeases
{
    private readonly ConcurrentDictionary<(string JobId, long Fence), LeaseKeeper> _leases = new();

    public IDisposable Add(string jobId, long fence, LeaseKeeper lease)
    {
        _leases[(jobId, fence)] = lease;
        return new Entry(this, KeyValuePair.Create((jobId, fence), lease));
    }

    /// <returns>False when this worker does not hold that lease (any more).</returns>
    public bool Cancel(string jobId, long fence)
    {
        if (!_leases.TryGetValue((jobId, fence), out var lease))
        {
            return false;
        }

        lease.Cancel();
        return true;
    }

    private sealed class Entry(RunningLeases owner, KeyValuePair<(string, long), LeaseKeeper> entry) : IDisposable
    {
        // The upload of the same lease may have taken this one's place already
        public void Dispose() => owner._leases.TryRemove(entry);
    }
}
