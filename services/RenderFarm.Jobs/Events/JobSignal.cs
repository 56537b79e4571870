namespace RenderFarm.Jobs.Events;

/// <summary>
/// Wakes long polls in this process. A new job wakes one waiter that could run it: of those, the one with the smallest
/// card, the longest waiting first. A wake is a hint; a waiter that finds nothing waits again.
/// </summary>
public sealed class JobSignal(TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiters = [];

    /// <summary>True when something that the waiter could run may be there; false when the time is up.</summary>
    public async Task<bool> WaitAsync(
        IReadOnlyCollection<string> models,
        int largestClass,
        TimeSpan timeout,
        CancellationToken cancellationToken
    )
    {
        using var waiter = Watch(models, largestClass);
        return await waiter.WaitAsync(timeout, cancellationToken);
    }

    /// <summary>
    /// Begins listening before the queue is looked at, so that a job arriving between the look and the wait is not missed.
    /// </summary>
    internal Watcher Watch(IReadOnlyCollection<string> models, int largestClass)
    {
        var waiter = new Waiter(models, largestClass, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
        {
            _waiters.AddLast(waiter);
        }

        return new Watcher(this, waiter);
    }

    /// <summary>A job of this model and class may be had.</summary>
    public void Raise(string model, int vramClass)
    {
        lock (_gate)
        {
            Waiter? best = null;
            foreach (var waiter in _waiters)
            {
                if (
                    waiter.LargestClass >= vramClass
                    && waiter.Models.Contains(model)
                    && (best is null || waiter.LargestClass < best.LargestClass)
                )
                {
                    best = waiter;
                }
            }

            if (best is null)
            {
                return;
            }

            _waiters.Remove(best);
            best.Woken.TrySetResult();
        }
    }

    /// <summary>Signals may have been missed: everybody looks for himself.</summary>
    public void RaiseAll()
    {
        lock (_gate)
        {
            foreach (var waiter in _waiters)
            {
                waiter.Woken.TrySetResult();
            }

            _waiters.Clear();
        }
    }

    private sealed record Waiter(IReadOnlyCollection<string> Models, int LargestClass, TaskCompletionSource Woken);

    internal sealed class Watcher : IDisposable
    {
        private readonly JobSignal _signal;
        private readonly Waiter _waiter;

        internal Watcher(JobSignal signal, object waiter) => (_signal, _waiter) = (signal, (Waiter)waiter);

        public async Task<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
        {
            try
            {
                await _waiter.Woken.Task.WaitAsync(timeout, _signal.Time, cancellationToken);
                return true;
            }
            catch (TimeoutException)
            {
                return false;
            }
        }

        public void Dispose()
        {
            lock (_signal._gate)
            {
                _signal._waiters.Remove(_waiter);
            }
        }
    }

    private TimeProvider Time => time;
}
