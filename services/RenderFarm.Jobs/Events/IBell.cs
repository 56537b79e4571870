namespace RenderFarm.Jobs.Events;

/// <summary>
/// Tells workers over the broker that a job of a VRAM class may be waiting. A bell may be lost or doubled; what is not
/// confirmed is rung again by <see cref="Maintenance.BellRelay"/>.
/// </summary>
public interface IBell
{
    /// <summary>Returns when the broker has confirmed; throws or is cancelled when it has not.</summary>
    Task RingAsync(string jobId, int vramClass, CancellationToken cancellationToken);
}

/// <summary>For a farm without a broker: long polls are woken by <see cref="JobSignal"/> anyway.</summary>
public sealed class SilentBell : IBell
{
    public Task RingAsync(string jobId, int vramClass, CancellationToken cancellationToken) => Task.CompletedTask;
}
