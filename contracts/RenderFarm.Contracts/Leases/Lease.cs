using System.Text.Json.Serialization;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Contracts.Leases;

/// <summary><c>POST /worker/v1/leases</c>: give this slot the best job it can run, or wait for one.</summary>
public sealed record LeaseRequest : IWorkerCall
{
    public required string WorkerId { get; init; }

    /// <summary>As it was registered: a start that another has taken the place of is given nothing.</summary>
    public required string Instance { get; init; }
    public required string SlotId { get; init; }
    public required long FreeBytes { get; init; }

    /// <summary>Models whose prepared weights this host already holds.</summary>
    public IReadOnlyList<string> CachedModels { get; set; } = [];

    /// <summary>How long the call may stay open when there is nothing to do.</summary>
    public double WaitSeconds { get; init; }
}

/// <summary><c>POST /worker/v1/goodbye</c>: this worker ends, in order, and holds nothing.</summary>
public sealed record GoodbyeRequest(string WorkerId, string Instance) : IWorkerCall;

/// <param name="Noted">False: another start of the worker has come meanwhile, and is there.</param>
public sealed record GoodbyeReply(bool Noted);

/// <summary>What a worker says of itself, and not of a lease.</summary>
public interface IWorkerCall
{
    string WorkerId { get; }

    /// <summary>Which start of it says so.</summary>
    string Instance { get; }
}

/// <summary>The right to work on a job until the lease runs out, under a fence and a token that nobody else has.</summary>
public sealed record LeaseGrant
{
    public required string JobId { get; init; }
    public required long Fence { get; init; }

    /// <summary>Goes with the fence into everything that is said under this lease.</summary>
    public required LeaseToken Token { get; init; }

    [JsonIgnore]
    public LeaseId Lease => new(JobId, Fence, Token);

    /// <summary>Numbered from 1; counts failures only.</summary>
    public required int Attempt { get; init; }

    /// <summary>How many cheaper plans to skip, after out-of-memory failures.</summary>
    public int StepDowns { get; init; }
    public required double LeaseSeconds { get; init; }
    public required RenderSpec Spec { get; init; }
    public IReadOnlyList<JobInput> Inputs { get; set; } = [];

    /// <summary>What measurements say of this model on this card: measured ÷ predicted. Null before there are any.</summary>
    public PlanCorrection? Correction { get; init; }

    /// <summary>The same for each kind of plan that has been measured; goes before <see cref="Correction"/>.</summary>
    public IReadOnlyList<KindCorrection> KindCorrections { get; set; } = [];

    /// <summary>Trace of the submitting request (W3C traceparent).</summary>
    public string? TraceParent { get; init; }
}

/// <param name="Role"><c>input_reference</c> or <c>last_frame</c>.</param>
public sealed record JobInput(string Role, string Url, string ContentType, long SizeBytes, string Sha256);

public sealed record PlanCorrection(double PeakFactor, double StepTimeFactor, int Samples);

/// <param name="Kind">Of the plans that were measured: <see cref="Plans.RenderPlan.Kind"/>.</param>
public sealed record KindCorrection(string Kind, PlanCorrection Correction);

/// <summary><c>POST /worker/v1/leases/{job}/renew</c>.</summary>
public sealed record RenewRequest : LeaseReport
{
    public required RenderStage Stage { get; init; }
    public int Step { get; init; }
    public int Steps { get; init; }

    /// <summary>Sent once, with the first renewal after planning.</summary>
    public RenderPlan? Plan { get; init; }
    public Measurements? Measurements { get; init; }
}

public sealed record RenewReply
{
    public required double LeaseSeconds { get; init; }

    /// <summary>The user wants this job stopped: kill the renderer, then fail with <see cref="FailureReason.Cancelled"/>.</summary>
    public bool Cancel { get; init; }

    /// <summary>Finish this job, then take no more.</summary>
    public bool Drain { get; init; }
}
