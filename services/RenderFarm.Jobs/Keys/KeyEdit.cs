using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Keys;

/// <summary>What a key is made with besides its name, its scopes and its ceiling.</summary>
public sealed record KeyTerms
{
    public KeyLimits Limits { get; init; } = KeyLimits.None;
    public string? Class { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>A new value, which may be none; where there is no change of a thing, there is no <see cref="Change{T}"/> of it.</summary>
public sealed record Change<T>(T Value);

/// <summary>What an operator changes of a key.</summary>
public sealed record KeyEdit
{
    public string? Name { get; init; }
    public int? PriorityCeiling { get; init; }
    public Change<int?>? Queued { get; init; }
    public Change<int?>? Running { get; init; }
    public Change<int?>? PerDay { get; init; }
    public Change<int?>? RequestsPerMinute { get; init; }
    public Change<string?>? Class { get; init; }
    public Change<DateTimeOffset?>? ExpiresAt { get; init; }

    internal void Onto(ApiKeyRow row)
    {
        row.Name = Name ?? row.Name;
        row.PriorityCeiling = PriorityCeiling ?? row.PriorityCeiling;
        row.MaxQueued = Queued is null ? row.MaxQueued : Queued.Value;
        row.MaxRunning = Running is null ? row.MaxRunning : Running.Value;
        row.MaxPerDay = PerDay is null ? row.MaxPerDay : PerDay.Value;
        row.RequestsPerMinute = RequestsPerMinute is null ? row.RequestsPerMinute : RequestsPerMinute.Value;
        row.Class = Class is null ? row.Class : Class.Value;
        row.ExpiresAt = ExpiresAt is null ? row.ExpiresAt : ExpiresAt.Value;
    }
}

public abstract record KeyEditResult
{
    public sealed record Edited(ApiKey Key) : KeyEditResult;

    /// <param name="Classes">Those that there are.</param>
    public sealed record TooManyClasses(IReadOnlyList<string> Classes) : KeyEditResult;

    public sealed record NotFound : KeyEditResult;
}
