using Microsoft.EntityFrameworkCore;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Enrolment;

/// <summary>
/// A worker leaves the farm, whether it wants to or not: its key is dead on every API within <see cref="ApiKeys.CacheFor"/>, also where
/// the key is one that other workers share, and what it holds waits for another at once.
/// </summary>
public sealed class WorkerRevocation(JobDatabase database, WorkerRegistry workers, LeaseEndings endings, ApiKeys keys, TimeProvider time)
{
    /// <returns>False when there is no such worker.</returns>
    public async Task<bool> RevokeAsync(string workerId, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var (revoked, own) = await database.WriteAsync(
            async db =>
            {
                var found = await db
                    .Workers.Where(w => w.Id == workerId && w.RevokedAt == null)
                    .ExecuteUpdateAsync(set => set.SetProperty(w => w.RevokedAt, now), cancellationToken);
                var bound = await db
                    .ApiKeys.Where(k => k.WorkerId == workerId && k.RevokedAt == null)
                    .Select(k => k.Id)
                    .ToListAsync(cancellationToken);
                return (found == 1, bound);
            },
            cancellationToken
        );
        foreach (var key in own)
        {
            await keys.RevokeAsync(key, cancellationToken);
        }

        workers.FleetChanged();
        if (revoked)
        {
            await endings.TakeBackAsync(workerId, $"Worker {workerId} was revoked.", cancellationToken);
        }

        return revoked;
    }
}
