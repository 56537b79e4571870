using RenderFarm.Artifacts;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Stored objects that no row knows of, for somebody who knows whether they are what a restore of the database has left, or rubbish.
/// No sweep touches them.
/// </summary>
public sealed class ArtifactAudit(JobDatabase database, IArtifactStore store, TimeProvider time)
{
    /// <summary>An input is stored before its row is written.</summary>
    public static readonly TimeSpan LeastAge = TimeSpan.FromHours(1);

    /// <summary>Where nobody says another one.</summary>
    public static readonly TimeSpan UsualAge = TimeSpan.FromDays(7);

    private readonly ArtifactClaims _claims = new(database, store);

    /// <summary>So many of those that are older than an age, by their keys.</summary>
    /// <param name="after">The last key of the page before; null for the first page.</param>
    /// <returns>One more than asked for, where there is one.</returns>
    public async Task<IReadOnlyList<UnclaimedObject>> ListAsync(
        TimeSpan age,
        int limit,
        string? after,
        CancellationToken cancellationToken
    )
    {
        var (found, olderThan) = (new List<UnclaimedObject>(), OlderThan(age));
        await foreach (var batch in _claims.BatchesAsync(cancellationToken))
        {
            var page = batch.Where(stored => after is null || string.CompareOrdinal(stored.Key, after) > 0).ToList();
            foreach (var (stored, claim) in await _claims.JudgeAsync(page, olderThan, cancellationToken))
            {
                if (claim == ArtifactClaim.Unclaimed)
                {
                    found.Add(new UnclaimedObject(stored.Key, stored.SizeBytes, stored.LastModified));
                }
            }

            if (found.Count > limit)
            {
                break;
            }
        }

        return [.. found.Take(limit + 1)];
    }

    /// <summary>Removes up to so many of what <see cref="ListAsync"/> would name, each judged again just before.</summary>
    /// <returns>What was removed.</returns>
    public async Task<IReadOnlyList<UnclaimedObject>> RemoveAsync(TimeSpan age, int limit, CancellationToken cancellationToken)
    {
        var doomed = (await ListAsync(age, limit, null, cancellationToken)).Take(limit).ToList();
        foreach (var one in doomed)
        {
            await store.DeleteAsync(one.Key, cancellationToken);
        }

        return doomed;
    }

    private DateTimeOffset OlderThan(TimeSpan age)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(age, LeastAge);
        return time.GetUtcNow() - age;
    }
}

public sealed record UnclaimedObject(string Key, long SizeBytes, DateTimeOffset LastModified);
