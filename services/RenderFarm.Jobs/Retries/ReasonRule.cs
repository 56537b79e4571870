using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Jobs.Retries;

public enum RetryKind
{
    /// <summary>The same would happen again.</summary>
    Never,

    /// <summary>At once with the next cheaper plan, no attempt burnt.</summary>
    NextPlan,
    BackOff,

    /// <summary>What has failed is gone, or takes no jobs any more: there is nothing to wait for.</summary>
    AtOnce,
}

/// <param name="IsDeath">Worker or renderer died of it: counts towards poison.</param>
/// <param name="MayBeTheWorkers">
/// What failed may be the worker, its host or its card: the job goes to another next, if there is one, and it counts against the slot that
/// reported it.
/// </param>
public sealed record ReasonRule(RetryKind Retry, bool IsDeath = false, bool MayBeTheWorkers = true)
{
    private static readonly ReasonRule BackOff = new(RetryKind.BackOff);
    private static readonly ReasonRule Death = new(RetryKind.BackOff, IsDeath: true);
    private static readonly ReasonRule Final = new(RetryKind.Never, MayBeTheWorkers: false);

    public static ReasonRule Of(FailureReason reason) =>
        reason switch
        {
            FailureReason.Cancelled => Final,
            FailureReason.InvalidRequest => Final,
            FailureReason.GpuOutOfMemory => new(RetryKind.NextPlan, MayBeTheWorkers: false),
            FailureReason.GpuLost => new(RetryKind.AtOnce),
            FailureReason.WorkerLost => new(RetryKind.AtOnce, IsDeath: true),
            FailureReason.RendererCrashed => Death,
            FailureReason.RendererTimeout => Death,
            FailureReason.HostOutOfMemory => Death,

            // Another worker may hold a good copy, a larger card or a better disk
            FailureReason.ModelUnavailable => BackOff,
            FailureReason.CheckpointInvalid => BackOff,
            FailureReason.PlanDoesNotFit => BackOff,
            FailureReason.DiskFull => BackOff,
            FailureReason.EncoderFailed => BackOff,
            FailureReason.InvalidOutput => BackOff,
            FailureReason.Transient => BackOff,
            _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "a failure reason without a rule"),
        };

    /// <summary>The <c>error.code</c> that a video shows when this was its last failure.</summary>
    public static string ErrorCode(FailureReason reason) => Word.Of(reason);
}
