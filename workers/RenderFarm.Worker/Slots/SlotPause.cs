namespace RenderFarm.Worker.Slots;

/// <summary>
/// The time between two jobs of a slot. Something else may use it for as long as it lasts (<see cref="TryTake"/>), and is gone when the
/// next job begins (<see cref="EndAsync"/>).
/// </summary>
internal sealed class SlotPause(TimeProvider time)
{
    /// <summary>A job doesn't wait any longer for what has been told to go.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private long _since = time.GetTimestamp();
    private bool _busy;
    private Use? _use;

    /// <summary>What could be taken of the device before somebody used the pause, who will be gone when a job begins; else null.</summary>
    public long? FreeBytesBefore
    {
        get
        {
            lock (_gate)
            {
                return _use?.FreeBytesBefore;
            }
        }
    }

    /// <returns>Null while a job has the slot, or somebody the pause, or when the pause is younger than that.</returns>
    public PauseUse? TryTake(TimeSpan atLeast, Func<long> freeBytes)
    {
        lock (_gate)
        {
            if (_busy || _use is not null || time.GetElapsedTime(_since) < atLeast)
            {
                return null;
            }

            var taken = new PauseUse(Return);
            _use = new Use(freeBytes(), taken.EndAsync, taken.Over);
            return taken;
        }
    }

    /// <summary>A job has come: whoever uses the pause is told, and has gone when this returns.</summary>
    public async Task EndAsync()
    {
        Use? use;
        lock (_gate)
        {
            _busy = true;
            use = _use;
        }

        if (use is null)
        {
            return;
        }

        await use.EndAsync();
        await Task.WhenAny(use.Over, Task.Delay(Patience, time));
    }

    /// <summary>The job has ended.</summary>
    public void Begin()
    {
        lock (_gate)
        {
            (_busy, _since) = (false, time.GetTimestamp());
        }
    }

    private void Return()
    {
        lock (_gate)
        {
            _use = null;
        }
    }

    private sealed record Use(long FreeBytesBefore, Func<Task> EndAsync, Task Over);
}

/// <summary>A pause in use, until it is disposed of.</summary>
internal sealed class PauseUse(Action returned) : IDisposable
{
    private readonly CancellationTokenSource _ending = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A job wants the slot.</summary>
    public CancellationToken Ending => _ending.Token;

    /// <summary>Completes when the user has gone.</summary>
    public Task Over => _over.Task;

    public Task EndAsync() => _ending.CancelAsync();

    /// <summary>The source of <see cref="Ending"/> has no timer and no handle: nothing of it is left to free.</summary>
    public void Dispose()
    {
        returned();
        _over.TrySetResult();
    }
}
