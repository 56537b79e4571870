namespace RenderFarm.Cli.Http;

/// <summary>A batch as the API shows it; the members that this program prints or waits for.</summary>
internal sealed record BatchStatus
{
    public required string Id { get; init; }
    public required string Status { get; init; }
    public required int Total { get; init; }
    public int Progress { get; init; }
    public required BatchCounts Counts { get; init; }

    public bool IsOver => Status is "completed" or "cancelled";

    public static bool IsId(string id) => id.StartsWith("batch_", StringComparison.Ordinal);
}

internal sealed record BatchCounts(int Queued, int InProgress, int Completed, int Failed, int Cancelled)
{
    public override string ToString()
    {
        var parts = new[]
        {
            (Completed, "completed"),
            (InProgress, "in progress"),
            (Queued, "queued"),
            (Failed, "failed"),
            (Cancelled, "cancelled"),
        };
        return string.Join(
            ", ",
            parts.Where(part => part.Item1 > 0).Select(part => FormattableString.Invariant($"{part.Item1} {part.Item2}"))
        );
    }
}
