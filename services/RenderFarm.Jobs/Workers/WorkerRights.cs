using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Workers;

/// <summary>
/// For whom an API key may speak: for the workers that registered with it, and for no others, whatever else its holder knows. A grant is
/// remembered for as long as a key is (<see cref="ApiKeys.CacheFor"/>), so that renewals don't ask the store each time.
/// </summary>
public sealed class WorkerRights(JobDatabase database, TimeProvider time)
{
    private const int CacheLimit = 10_000;
    private readonly ConcurrentDictionary<(string KeyId, string About), long> _granted = new();

    /// <param name="key">The caller's.</param>
    /// <param name="workerId">For whom it speaks.</param>
    /// <param name="instance">The start of that worker that it claims to be.</param>
    /// <param name="cancellationToken">Of the call.</param>
    public Task<WorkerRight> OfWorkerAsync(ApiKey key, string workerId, string instance, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        return RememberedAsync(
            key,
            workerId,
            db =>
                db
                    .Workers.AsNoTracking()
                    .Where(w => w.Id == workerId)
                    .Select(w => new Speaker(w.Id, w.KeyId, w.RevokedAt != null, w.Instance == instance)),
            cancellationToken
        );
    }

    /// <summary>
    /// Whether the lease of that very token is one of the key's workers; whether it still stands is for those to say who end it.
    /// </summary>
    public Task<WorkerRight> OfLeaseAsync(ApiKey key, LeaseId lease, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        var (job, fence, token) = (lease.JobId, lease.Fence, lease.Token.Secret);
        return RememberedAsync(
            key,
            string.Create(CultureInfo.InvariantCulture, $"{job} {fence} {token}"),
            db =>
                from record in db.LeaseRecords.AsNoTracking()
                where record.JobId == job && record.Fence == fence && record.Token == token
                join worker in db.Workers.AsNoTracking() on record.WorkerId equals worker.Id
                select new Speaker(worker.Id, worker.KeyId, worker.RevokedAt != null, true),
            cancellationToken
        );
    }

    /// <summary>
    /// Whether one of the key's workers has the job's newest lease, and nobody has ended it. For calls that name no token.
    /// </summary>
    public Task<WorkerRight> OfJobAsync(ApiKey key, string jobId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        return database.ReadAsync(
            async db =>
            {
                var newest = await (
                    from job in db.Jobs.AsNoTracking()
                    where job.Id == jobId
                    join record in db.LeaseRecords on new { JobId = job.Id, job.Fence } equals new { record.JobId, record.Fence }
                    join worker in db.Workers on record.WorkerId equals worker.Id
                    select new
                    {
                        worker.KeyId,
                        IsRevoked = worker.RevokedAt != null,
                        // A lost one may be revived as long as nobody else has the job
                        Stands = record.EndedAt == null || (record.Ending == LeaseEnding.Lost && job.State == JobState.Queued),
                    }
                ).SingleOrDefaultAsync(cancellationToken);
                return newest is null || !newest.Stands
                    ? WorkerRight.Unknown
                    : RightOf(key, newest.KeyId, newest.IsRevoked);
            },
            cancellationToken
        );
    }

    private async Task<WorkerRight> RememberedAsync(
        ApiKey key,
        string about,
        Func<JobsDbContext, IQueryable<Speaker>> find,
        CancellationToken cancellationToken
    )
    {
        if (_granted.TryGetValue((key.Id, about), out var at) && time.GetElapsedTime(at) < ApiKeys.CacheFor)
        {
            return WorkerRight.Own;
        }

        var asked = time.GetTimestamp();
        var right = await AskAsync(key, find, cancellationToken);
        if (right == WorkerRight.Own)
        {
            if (_granted.Count >= CacheLimit)
            {
                _granted.Clear();
            }

            _granted[(key.Id, about)] = asked;
        }

        return right;
    }

    private async Task<WorkerRight> AskAsync(
        ApiKey key,
        Func<JobsDbContext, IQueryable<Speaker>> find,
        CancellationToken cancellationToken
    )
    {
        var speaker = await database.ReadAsync(db => find(db).SingleOrDefaultAsync(cancellationToken), cancellationToken);
        if (speaker is { KeyId: null, Proved: true } && key.WorkerId is null)
        {
            // It registered when nobody asked with which key; whoever proves now that it is that worker has its key from here on.
            await database.WriteAsync(
                db =>
                    db.Workers.Where(w => w.Id == speaker.WorkerId && w.KeyId == null)
                        .ExecuteUpdateAsync(set => set.SetProperty(w => w.KeyId, key.Id), cancellationToken),
                cancellationToken
            );
            speaker = await database.ReadAsync(db => find(db).SingleOrDefaultAsync(cancellationToken), cancellationToken);
        }

        return speaker is null ? WorkerRight.Unknown : RightOf(key, speaker.KeyId, speaker.IsRevoked);
    }

    private static WorkerRight RightOf(ApiKey key, string? speaks, bool isRevoked) =>
        speaks != key.Id ? WorkerRight.Others
        : isRevoked ? WorkerRight.Revoked
        : WorkerRight.Own;

    /// <param name="Proved">The caller knows what that worker alone knows.</param>
    private sealed record Speaker(string WorkerId, string? KeyId, bool IsRevoked, bool Proved);
}

public enum WorkerRight
{
    /// <summary>There is no such worker, or no such lease.</summary>
    Unknown,

    /// <summary>It is one of the key's own.</summary>
    Own,

    /// <summary>It is another key's.</summary>
    Others,

    /// <summary>It was the key's own, and an operator has taken it out of the farm.</summary>
    Revoked,
}
