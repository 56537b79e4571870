using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Retries;

public enum RetryKind
{
    /// <summary>The same would happen again.</summary>
    Never,

    /// <summary>At once with the next cheaper plan, no attempt burnt.</summary>
    NextPlan,
    BackOff,

    /// <summary>What has failed is elsewhere, and the job has waited for its lease to run out.</summary>
    AtOnce,
}

/// <param name="IsDeath">Worker or renderer died of it: counts towards poison.</param>
public sealed record ReasonRule(RetryKind Retry, bool IsDeath = false)
{
    private static readonly ReasonRule BackOff = new(RetryKind.BackOff);
    private static readonly ReasonRule Death = new(RetryKind.BackOff, IsDeath: true);
    private static readonly ReasonRule Final = new(RetryKind.Never);

    public static ReasonRule Of(FailureReason reason) =>
        reason switch
        {
            FailureReason.Cancelled => Final,
            FailureReason.InvalidRequest => Final,
            FailureReason.GpuOutOfMemory => new(RetryKind.NextPlan),
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
