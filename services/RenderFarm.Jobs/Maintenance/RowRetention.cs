using RenderFarm.Artifacts;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Removes rows that nobody can want any more, <see cref="StoreOptions.KeepDays"/> after their end: jobs that left nothing to
/// download, with their leases, events and deliveries; then batches without a job, and workers that have not been heard of.
/// A job of which an object is still stored stays, for its row is what tells the janitor that the object may go. The newest
/// event of the farm stays too: the next one is numbered after it.
/// </summary>
public sealed class RowRetention(JobDatabase database, IArtifactStore store, StoreOptions options, TimeProvider time) : ISweep
{
    private const int Batch = 200;
    private const int MostInAPass = 5_000;

    public string Name => "row_retention";

    public TimeSpan Every => TimeSpan.FromHours(1);

    /// <returns>How many jobs went.</returns>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var before = time.GetUtcNow() - TimeSpan.FromDays(options.KeepDays);
        var (removed, seen, last) = (0, 0, "");
        while (seen < MostInAPass && await OldJobsAsync(before, last, cancellationToken) is { Count: > 0 } old)
        {
            foreach (var id in old)
            {
                if (!await HasObjectsAsync(id, cancellationToken) && await RemoveAsync(id, before, cancellationToken))
                {
                    removed++;
                }
            }

            (seen, last) = (seen + old.Count, old[^1]);
        }
        await RemoveEmptiedAsync(before, cancellationToken);
        return removed;
    }

    private Task<List<string>> OldJobsAsync(DateTimeOffset before, string after, CancellationToken cancellationToken) =>
        database.ReadAsync(
            db =>
                db.RowsAsync(
                    $"""
                    SELECT id FROM jobs
                    WHERE finished_at <= @before AND ({JobTransitions.Over}) AND id > @after ORDER BY id LIMIT {Batch}
                    """,
                    row => row.GetString(0),
                    cancellationToken,
                    ("before", db.Dialect.Time(before)),
                    ("after", after)
                ),
            cancellationToken,
            StorePatience.Pass
        );

    private async Task<bool> HasObjectsAsync(string jobId, CancellationToken cancellationToken)
    {
        foreach (var prefix in (string[])[ObjectKeys.OutputsOf(jobId), ObjectKeys.InputsOf(jobId)])
        {
            await foreach (var _ in store.ListAsync(prefix, cancellationToken))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Looked at again in the statement: a failed job may have been asked for once more just now.</summary>
    private Task<bool> RemoveAsync(string jobId, DateTimeOffset before, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async db =>
            {
                if (!await JobTransitions.RemoveAsync(db, jobId, before, cancellationToken))
                {
                    return false;
                }

                // Lease records go with their job by themselves
                await db.ExecuteAsync("DELETE FROM webhook_deliveries WHERE job_id = @id", cancellationToken, ("id", jobId));
                await db.ExecuteAsync("DELETE FROM events WHERE job_id = @id", cancellationToken, ("id", jobId));
                return true;
            },
            cancellationToken,
            StorePatience.Pass
        );

    private Task<int> RemoveEmptiedAsync(DateTimeOffset before, CancellationToken cancellationToken) =>
        database.WriteAsync(
            async db =>
            {
                var at = db.Dialect.Time(before);
                return await db.ExecuteAsync(
                        "DELETE FROM batches WHERE created_at <= @before AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.batch_id = "
                            + "batches.id)",
                        cancellationToken,
                        ("before", at)
                    )
                    + await db.ExecuteAsync(
                        $"""
                        DELETE FROM workers WHERE seen_at <= @before AND revoked_at IS NULL
                          AND NOT EXISTS (SELECT 1 FROM api_keys k WHERE k.worker_id = workers.id AND k.revoked_at IS NULL)
                          AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.lease_worker_id = workers.id AND j.{JobTransitions.Held})
                        """,
                        cancellationToken,
                        ("before", at)
                    );
            },
            cancellationToken,
            StorePatience.Pass
        );
}
