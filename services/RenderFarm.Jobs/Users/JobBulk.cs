using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Users;

/// <summary>
/// One thing done to all jobs that a filter finds. They are counted first, and what comes in afterwards is not among them; each step of the
/// walk is a transaction of its own, so that others get their turn, and who stops in the middle has done that much.
/// </summary>
public sealed class JobBulk(JobDatabase database, JobStore jobs, TimeProvider time)
{
    private const int Step = 200;

    private static readonly IReadOnlyList<JobState> Open = [JobState.Queued, .. JobTransitions.End.From];

    /// <summary>How many jobs of the filter it can be done to.</summary>
    public async Task<int> CountAsync(JobScope scope, JobFilter filter, BulkAction action, CancellationToken cancellationToken) =>
        (await FindAsync(scope, filter, action, cancellationToken)).Count;

    /// <param name="expected">What the caller takes the count for; null: whatever it is.</param>
    public async Task<BulkResult> DoAsync(
        JobScope scope,
        JobFilter filter,
        BulkAction action,
        int? expected,
        CancellationToken cancellationToken
    )
    {
        ArgumentNullException.ThrowIfNull(filter);
        var (matched, last) = await FindAsync(scope, filter, action, cancellationToken);
        if (expected is { } count && count != matched)
        {
            return new BulkResult.Changed(matched);
        }

        var (done, failed, told) = (0, new List<BulkFailure>(), new List<Job>());
        for (string? after = null; last is not null;)
        {
            var ids = await database.ReadAsync(
                db =>
                    JobSearch.NextAsync(
                        db,
                        scope,
                        Narrowed(filter, action),
                        new PagePlace(Step, after, Ascending: true),
                        cancellationToken
                    ),
                cancellationToken,
                StorePatience.Many
            );
            after = ids.Count == 0 ? null : ids[^1];
            ids.RemoveAll(id => string.CompareOrdinal(id, last) > 0);
            if (ids.Count == 0)
            {
                break;
            }

            switch (action)
            {
                case BulkAction.Retry:
                    foreach (var id in ids)
                    {
                        if (await RetryAsync(id, scope, cancellationToken) is { } code)
                        {
                            failed.Add(new BulkFailure(id, code));
                        }
                        else
                        {
                            done++;
                        }
                    }

                    break;
                default:
                    var (stopped, held) = await StopAsync(ids, action == BulkAction.Delete, cancellationToken);
                    done += stopped;
                    told.AddRange(held);
                    break;
            }
        }

        return new BulkResult.Done(matched, done, failed) { Held = told };
    }

    private Task<(int Count, string? Last)> FindAsync(
        JobScope scope,
        JobFilter filter,
        BulkAction action,
        CancellationToken cancellationToken
    ) =>
        database.ReadAsync(
            db => JobSearch.CountAsync(db, scope, Narrowed(filter, action), cancellationToken),
            cancellationToken,
            StorePatience.Many
        );

    /// <summary>Of the jobs that are asked for, those to which it can be done at all.</summary>
    private static JobFilter Narrowed(JobFilter filter, BulkAction action)
    {
        if (action == BulkAction.Delete)
        {
            return filter;
        }

        var able = action == BulkAction.Cancel ? Open : JobTransitions.Requeue.From;
        var both = filter.States.Count == 0 ? able : [.. filter.States.Intersect(able)];
        return both.Count > 0 ? filter with { States = both } : filter with { Ids = [] };
    }

    private Task<(int Done, IReadOnlyList<Job> Held)> StopAsync(List<string> ids, bool hide, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async db =>
            {
                var (now, which) = (time.GetUtcNow(), JobsWhere.Among(db.Dialect, ids));
                var done = hide ? await JobTransitions.HideAsync(db, which, now, cancellationToken) : ids.Count;
                await Stopping.StopAsync(db, which, now, cancellationToken);
                return (done, await Stopping.HeldAsync(db.Jobs.Where(job => ids.Contains(job.Id)), cancellationToken));
            },
            cancellationToken,
            StorePatience.Many
        );

    /// <returns>Why not; null when it waits again.</returns>
    private async Task<BulkFault?> RetryAsync(string id, JobScope scope, CancellationToken cancellationToken)
    {
        try
        {
            return await jobs.RetryAsync(id, scope, cancellationToken) switch
            {
                RetryResult.Requeued => null,
                RetryResult.WrongState => BulkFault.WrongState,
                _ => BulkFault.NotFound,
            };
        }
        catch (QuotaExceededException)
        {
            return BulkFault.QuotaExceeded;
        }
    }
}
