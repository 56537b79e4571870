using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>Completed jobs whose keeping time is over become <c>expired</c>: the content is gone for users, the record stays.</summary>
public sealed class ExpirySweep(JobDatabase database, TimeProvider time) : ISweep
{
    private const int Batch = 100;

    public string Name => "expiry";

    public TimeSpan Every => TimeSpan.FromSeconds(30);

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var due = await database.ReadAsync(
            db =>
                db.Jobs.Where(j => j.State == JobState.Completed && j.ExpiresAt <= now)
                    .OrderBy(j => j.ExpiresAt)
                    .Select(j => j.Id)
                    .Take(Batch)
                    .ToListAsync(cancellationToken),
            cancellationToken,
            StorePatience.Pass
        );
        var expired = 0;
        foreach (var id in due)
        {
            expired += await database.WriteAsync(
                async db =>
                {
                    if (!await JobTransitions.ExpireAsync(db, id, now, cancellationToken))
                    {
                        return 0;
                    }

                    await Outbox.AddAsync(db, id, VideoEvent.Expired, now, cancellationToken);
                    return 1;
                },
                cancellationToken,
                StorePatience.Pass
            );
        }

        return expired;
    }
}
