using RenderFarm.Contracts.Videos;

namespace RenderFarm.Jobs.Users;

/// <summary>Which jobs of a scope; all that is said must hold. Deleted ones are none of them.</summary>
public sealed record JobFilter
{
    public static readonly JobFilter All = new();

    /// <summary>Any of them; empty is every state.</summary>
    public IReadOnlyList<JobState> States { get; init; } = [];
    public string? Model { get; init; }

    /// <summary>The newest lease is of one of these workers; null is any, or none.</summary>
    public IReadOnlyList<string>? Workers { get; init; }
    public string? BatchId { get; init; }

    /// <summary>Of a failed job.</summary>
    public string? ErrorCode { get; init; }

    /// <summary>Pairs that its metadata has.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Stands in the prompt, in letters of either case.</summary>
    public string? Text { get; init; }

    /// <summary>Submitted then or later.</summary>
    public DateTimeOffset? CreatedFrom { get; init; }

    /// <summary>Submitted before.</summary>
    public DateTimeOffset? CreatedBefore { get; init; }

    /// <summary>These alone; null is any.</summary>
    public IReadOnlyList<string>? Ids { get; init; }
}

/// <param name="After">The <see cref="JobPage.Last"/> of the page before.</param>
public sealed record PagePlace(int Limit, string? After = null, bool Ascending = false);

/// <param name="HasMore">There may be jobs behind this page.</param>
/// <param name="Last">Where the page ends: its last job, or how far was looked without finding enough.</param>
public sealed record JobPage(IReadOnlyList<Job> Jobs, bool HasMore, string? Last);
