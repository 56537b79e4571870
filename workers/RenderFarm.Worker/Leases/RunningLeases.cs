using System.Collections.Concurrent;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Worker.Leases;

/// <summary>The leases this worker holds, so that a cancellation from the control queue finds its way.</summary>
internal sealed class RunningLeases
{
    private readonly ConcurrentDictionary<LeaseName, LeaseKeeper> _leases = new();

    public IDisposable Add(LeaseName lease, LeaseKeeper keeper)
    {
        _leases[lease] = keeper;
        return new Entry(this, KeyValuePair.Create(lease, keeper));
    }

    /// <returns>False when this worker does not hold that lease (any more).</returns>
    public bool Cancel(LeaseName lease)
    {
        if (!_leases.TryGetValue(lease, out var keeper))
        {
            return false;
        }

        keeper.Cancel();
        return true;
    }

    private sealed class Entry(RunningLeases owner, KeyValuePair<LeaseName, LeaseKeeper> entry) : IDisposable
    {
        // The upload of the same lease may have taken this one's place already
        public void Dispose() => owner._leases.TryRemove(entry);
    }
}
