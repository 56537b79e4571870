using Microsoft.EntityFrameworkCore;

namespace RenderFarm.Jobs.Events;

/// <summary>What a reader has before it still.</summary>
/// <param name="Seconds">Since the oldest of them; 0 without any.</param>
public sealed record EventBacklog(int Count, double Seconds)
{
    /// <param name="moments">When each of them happened.</param>
    internal static async Task<EventBacklog> OfAsync(
        IQueryable<DateTimeOffset> moments,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var found = await moments
            .GroupBy(_ => 1)
            .Select(all => new { Count = all.Count(), Oldest = all.Min() })
            .SingleOrDefaultAsync(cancellationToken);
        return found is null ? new EventBacklog(0, 0) : new EventBacklog(found.Count, Math.Max(0, (now - found.Oldest).TotalSeconds));
    }
}
