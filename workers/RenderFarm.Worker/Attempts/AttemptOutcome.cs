using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Leases;
using RenderFarm.Worker.Spool;

namespace RenderFarm.Worker.Attempts;

/// <summary>How an attempt ended. Each is reported exactly once, in its own way.</summary>
internal abstract record AttemptOutcome
{
    /// <summary>The word for it in metrics and logs.</summary>
    public abstract string Name { get; }

    /// <summary>A whole video lies in <paramref name="Folder"/>: it goes into the spool, and from there to the store.</summary>
    public sealed record Rendered(string Folder, SpoolManifest Manifest) : AttemptOutcome
    {
        public override string Name => "rendered";
    }

    public sealed record Failed(FailureReason Reason, string Message, Measurements? Measurements = null, string? LogTail = null)
        : AttemptOutcome
    {
        public override string Name => Reason == FailureReason.Cancelled ? "cancelled" : "failed";
    }

    /// <summary>Given back unharmed, because this worker stops or its slot is at fault.</summary>
    /// <param name="Message">What a person should know of it.</param>
    public sealed record HandedBack(ReleaseReason Reason, string? Message = null) : AttemptOutcome
    {
        public override string Name => "handed_back";
    }

    /// <summary>The lease is somebody else's, or nobody can say whose: nothing to report.</summary>
    public sealed record LeaseLost(LeaseLoss Loss) : AttemptOutcome
    {
        public override string Name => "lease_lost";
    }
}
