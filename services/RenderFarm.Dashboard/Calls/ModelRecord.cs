using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;

namespace RenderFarm.Dashboard.Calls;

/// <summary>A model as <c>/v1/models</c> lists it.</summary>
public sealed record ModelRecord
{
    public required string Id { get; init; }
    public bool Available { get; init; }
    public IReadOnlyList<HolderRecord> Workers { get; init; } = [];
    public required ModelDefaults Defaults { get; init; }
    public bool TakesPicture { get; init; }
    public bool TakesLastFrame { get; init; }
    public IReadOnlyList<RenderPreset> Presets { get; init; } = [];
    public IReadOnlyList<string> Loras { get; init; } = [];
    public string? Note { get; init; }
}

public sealed record HolderRecord(string Id, string Name, string Status);

/// <summary>What would be chosen.</summary>
public sealed record PlanRecord
{
    public bool Fits { get; init; }
    public RenderPlan? Plan { get; init; }
    public double BudgetGib { get; init; }
    public PlanRefusalRecord? Refusal { get; init; }
    public IReadOnlyList<RenderPlan> Alternatives { get; init; } = [];
}

public sealed record PlanRefusalRecord(string Message, string? Field);

internal sealed record BatchRecord(string Id);

/// <summary>A batch, as far as the list says how it stands.</summary>
public sealed record BatchProgressRecord(string Id, int Total, BatchProgressCounts Counts);

public sealed record BatchProgressCounts(int Queued, int InProgress, int Completed, int Failed, int Cancelled);
