namespace RenderFarm.Worker.Bells;

/// <summary>Something may be waiting: whoever pauses, look again. Rings while nobody waits are remembered once.</summary>
internal sealed class Doorbell(TimeProvider time) : IDisposable
{
    private readonly SemaphoreSlim _rung = new(0, 1);

    public void Ring()
    {
        try
        {
            _rung.Release();
        }
        catch (SemaphoreFullException)
        {
            // It rings already
        }
    }

    /// <returns>After the pause, or at the next ring, or when cancelled: never fails.</returns>
    public async Task WaitAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var timer = time.CreateTimer(_ => over.Cancel(), null, atMost, Timeout.InfiniteTimeSpan);
        try
        {
            await _rung.WaitAsync(over.Token);
        }
        catch (OperationCanceledException)
        {
            // The pause is over
        }
    }

    public void Dispose() => _rung.Dispose();
}
