using Microsoft.Extensions.Logging;
using RenderFarm.Artifacts;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Removes objects that no video will point at again: all of a job that has expired or was deleted, those of leases that did not win when
/// their job has ended, and what is left of uploads that never ended. What is younger than <see cref="LeastAge"/> and what belongs to a job
/// that is open stays. What no row knows of stays too, and is counted: after a restore of the database it may be the only copy of a video,
/// and <see cref="ArtifactAudit"/> is for somebody who knows. If the losers' objects are more than <see cref="LargestShare"/> of the
/// store, they stay and an error is logged: rows that say so can't be right.
/// </summary>
/// <param name="adoption">Is shown all that is stored, of any age, before it is judged.</param>
public sealed partial class ArtifactJanitor(
    JobDatabase database,
    IArtifactStore store,
    ResultAdoption adoption,
    TimeProvider time,
    ILogger<ArtifactJanitor> log
) : ISweep
{
    public static readonly TimeSpan LeastAge = TimeSpan.FromHours(24);
    public const double LargestShare = 0.05;

    /// <summary>A small store may lose this many at once, whatever share of it they are.</summary>
    public const int AlwaysAllowed = 50;

    private readonly ArtifactClaims _claims = new(database, store);
    private volatile JanitorFindings? _findings;

    public string Name => "artifact_janitor";

    public TimeSpan Every => TimeSpan.FromHours(1);

    /// <summary>What the last pass left; null before the first.</summary>
    public JanitorFindings? Findings => _findings;

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var youngest = time.GetUtcNow() - LeastAge;
        var (acted, seen, unclaimed, unclaimedBytes) = (0, 0L, 0L, 0L);
        List<StoredObject> gone = [];
        List<StoredObject> lost = [];
        await foreach (var batch in _claims.BatchesAsync(cancellationToken))
        {
            acted += await adoption.AdoptAsync(batch, cancellationToken);
            foreach (var (stored, claim) in await _claims.JudgeAsync(batch, youngest, cancellationToken))
            {
                seen++;
                switch (claim)
                {
                    case ArtifactClaim.Gone:
                        gone.Add(stored);
                        break;
                    case ArtifactClaim.Lost:
                        lost.Add(stored);
                        break;
                    case ArtifactClaim.Unclaimed:
                        unclaimed++;
                        unclaimedBytes += stored.SizeBytes;
                        break;
                }
            }
        }

        var isTooMuch = lost.Count > Math.Max(AlwaysAllowed, seen * LargestShare);
        if (isTooMuch)
        {
            TooMany(lost.Count, seen);
        }

        _findings = new JanitorFindings(unclaimed, unclaimedBytes, isTooMuch ? lost.Count : 0);
        acted += await RemoveAsync(isTooMuch ? gone : [.. gone, .. lost], youngest, cancellationToken);
        return acted + await store.RemoveUnfinishedAsync(youngest, cancellationToken);
    }

    /// <summary>
    /// A long listing ends long after its beginning: a job may have been asked for once more, and be completed by what it had.
    /// </summary>
    private async Task<int> RemoveAsync(List<StoredObject> doomed, DateTimeOffset youngest, CancellationToken cancellationToken)
    {
        var removed = 0;
        foreach (var some in doomed.Chunk(ArtifactClaims.Batch))
        {
            // What is undeleted before this stays, and afterwards nobody can
            await _claims.LetGoAsync(some, time.GetUtcNow(), cancellationToken);
            foreach (var (stored, claim) in await _claims.JudgeAsync(some, youngest, cancellationToken))
            {
                if (claim is ArtifactClaim.Gone or ArtifactClaim.Lost)
                {
                    await store.DeleteAsync(stored.Key, cancellationToken);
                    removed++;
                }
            }
        }

        return removed;
    }

    [LoggerMessage(
        EventId = 141,
        Level = LogLevel.Error,
        Message = "{Lost} of {Seen} stored objects would be removed as those of leases that were lost: too many to be right, so none of "
            + "them was. Compare the database with the bucket."
    )]
    private partial void TooMany(int lost, long seen);
}

/// <summary>What a pass of the janitor did not touch.</summary>
/// <param name="Unclaimed">Objects that no row knows of.</param>
/// <param name="HeldBack">Objects of lost leases, too many to be right.</param>
public sealed record JanitorFindings(long Unclaimed, long UnclaimedBytes, int HeldBack);
