using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// What every step of one attempt works with: the job, the slot, the lease, the folder, and the reasons to stop. The lease
/// is renewed and the folder is there until this is disposed.
/// </summary>
internal sealed class AttemptContext : IAsyncDisposable
{
    private readonly HeldLease _held;
    private readonly CancellationTokenSource _stop;

    public AttemptContext(HeldLease held, Slot slot, CancellationToken handBack)
    {
        _held = held;
        Slot = slot;
        HandBack = handBack;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(held.Keeper.Lost, held.Keeper.Cancelled, slot.Broken, handBack);
    }

    public Slot Slot { get; }
    public required LeaseGrant Grant { get; init; }
    public required InstalledModel Model { get; init; }
    public required AttemptFolder Folder { get; init; }
    public required AttemptRecord Record { get; init; }

    /// <summary>The attempt's own span, or what it would hang from (W3C traceparent).</summary>
    public string? TraceParent { get; init; }
    public LeaseKeeper Lease => _held.Keeper;

    /// <summary>This worker stops: give the job back, unless it is finished anyway.</summary>
    public CancellationToken HandBack { get; }

    /// <summary>The lease is lost, the job is cancelled, its card has failed, or it is to be handed back.</summary>
    public CancellationToken Stop => _stop.Token;

    /// <summary>The outcome when nobody wants the video any more, whatever has become of it; null while somebody does.</summary>
    public AttemptOutcome? Unwanted(Measurements? measured = null, string? logTail = null)
    {
        if (Lease.Lost.IsCancellationRequested)
        {
            return new AttemptOutcome.LeaseLost(Lease.Loss ?? LeaseLoss.Taken);
        }

        return Lease.Cancelled.IsCancellationRequested
            ? new AttemptOutcome.Failed(FailureReason.Cancelled, "the job was cancelled", measured, logTail)
            : null;
    }

    /// <summary>The outcome when <see cref="Stop"/> came before anything was rendered: what the job was not to blame for.</summary>
    public AttemptOutcome Interrupted() =>
        Unwanted()
        ?? (
            Slot.Broken.IsCancellationRequested
                ? new AttemptOutcome.HandedBack(ReleaseReason.SlotFault, Slot.CardError)
                : new AttemptOutcome.HandedBack(ReleaseReason.Interrupted)
        );

    /// <summary>
    /// The outcome when the card failed under the render: whatever else went wrong, or seems to have gone well, is of no account. Null
    /// while nothing is known against the card.
    /// </summary>
    /// <param name="failed">The render has failed: then an error that it would have outlived explains it too.</param>
    public AttemptOutcome.Failed? CardLost(bool failed, Measurements measured, string logTail) =>
        Slot.CardError is { } error && (failed || Slot.Broken.IsCancellationRequested)
            ? new AttemptOutcome.Failed(FailureReason.GpuLost, error, measured, logTail)
            : null;

    public async ValueTask DisposeAsync()
    {
        _stop.Dispose();
        Folder.Dispose();
        await _held.DisposeAsync();
    }
}
