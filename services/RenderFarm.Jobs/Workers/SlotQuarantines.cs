using Microsoft.EntityFrameworkCore;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Workers;

/// <summary>
/// Slots that are given no jobs. The farm's own word ends at once when somebody resumes the slot; its worker's when that has looked again:
/// it hears of the wish with its next registration, which a worker with such a slot repeats.
/// </summary>
public sealed class SlotQuarantines(JobDatabase database, WorkerRegistry workers, TimeProvider time)
{
    /// <summary>After a job went well that had failed elsewhere: whether that says enough of those slots.</summary>
    internal async Task JudgeAsync(CancellationToken cancellationToken)
    {
        // In a transaction of its own: of two jobs that end in one moment, the later one finds both
        if (await database.WriteAsync(db => SlotRecord.JudgeAsync(db, time.GetUtcNow(), cancellationToken), cancellationToken) > 0)
        {
            workers.FleetChanged();
        }
    }

    /// <summary>Jobs again for this slot, or for the whole worker, whose drain ends too. False: there is no such worker or slot.</summary>
    /// <param name="slotId">Null: all of its slots.</param>
    public async Task<bool> ResumeAsync(string workerId, string? slotId, CancellationToken cancellationToken)
    {
        if (
            await workers.FindAsync(workerId, cancellationToken) is not { } worker
            || (slotId is not null && worker.Slots.All(slot => slot.Id != slotId))
        )
        {
            return false;
        }

        await database.WriteAsync(
            async db =>
            {
                if (slotId is null)
                {
                    await db.ExecuteAsync(
                        "UPDATE workers SET draining = FALSE WHERE id = @worker",
                        cancellationToken,
                        ("worker", workerId)
                    );
                }

                await SlotRecord.ResumeAsync(db, workerId, slotId, cancellationToken);
                return true;
            },
            cancellationToken
        );
        workers.FleetChanged();
        return true;
    }

    /// <summary>The slots whose own quarantine somebody wishes ended.</summary>
    public Task<IReadOnlyList<string>> ToResumeAsync(string workerId, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<string>>(
            async db =>
                await db.SlotQuarantines.AsNoTracking()
                    .Where(q => q.WorkerId == workerId && q.Resume)
                    .Select(q => q.SlotId)
                    .Distinct()
                    .ToListAsync(cancellationToken),
            cancellationToken
        );
}
