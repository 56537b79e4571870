using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Leasing;

/// <summary>The next job for a slot, and the record of its lease.</summary>
internal static class LeaseQueue
{
    /// <summary>A job whose model the host already holds goes before others by as much queued work, and no more.</summary>
    private const double CachedHeadStartSeconds = 60;

    /// <summary>Null when there is nothing for this slot.</summary>
    public static async Task<LeasedJob?> TakeAsync(
        JobsDbContext db,
        LeaseRequest request,
        FarmWorker worker,
        SlotDescription slot,
        Fleet fleet,
        double leaseSeconds,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var queues = VramClasses
            .Offered(slot.Kind, request.FreeBytes)
            .SelectMany(vramClass => worker.Models.Select(model => new QueuePair(model, vramClass)))
            .Select(queue =>
                (queue.Model, queue.VramClass, fleet.Needs(slot, queue), fleet.ElsewhereThan(worker.Id, slot.Id, queue))
            );
        var offer = new SlotOffer
        {
            WorkerId = worker.Id,
            SlotId = slot.Id,
            FreeBytes = request.FreeBytes,
            Queues = [.. queues],
            CachedModels = request.CachedModels,
            CachedHeadStartSeconds = CachedHeadStartSeconds,
            LeaseSeconds = leaseSeconds,
        };
        if (await JobTransitions.TakeAsync(db, offer, cancellationToken) is not { } taken)
        {
            return null;
        }

        db.ChangedQueue = true;

        var job = new LeasedJob
        {
            Lease = taken.Lease,
            Attempt = taken.Failures + 1,
            StepDowns = taken.StepDowns,
            LeaseSeconds = leaseSeconds,
            VramClass = taken.VramClass,
            KeyClass = taken.KeyClass,
            Spec = JsonSerializer.Deserialize(taken.Spec, ContractsJson.Default.RenderSpec)!,
            Inputs = JsonSerializer.Deserialize(taken.Inputs, JobsJson.Default.StoredInputArray)!,
            TraceParent = taken.TraceParent,
            WaitedSeconds = taken.WaitedSeconds,
            PromisedSeconds = taken.PromisedSeconds,
            QueuedSeconds = taken.QueuedSeconds,
        };
        if (ReferenceEquals(db.Dialect, SqlDialect.Postgres))
        {
            await RequireRunningRoomAsync(db, job.Id, cancellationToken);
        }

        await db.ExecuteAsync(
            """
            INSERT INTO lease_records (job_id, fence, token, worker_id, slot_id, model, card, driver, worker_version, geometry, attempt,
                step_downs, leased_at)
            VALUES (@job, @fence, @token, @worker, @slot, @model, @card, @driver, @version, @geometry, @attempt, @step_downs, @now)
            """,
            cancellationToken,
            ("job", job.Id),
            ("fence", job.Fence),
            ("token", job.Lease.Token.Secret),
            ("worker", worker.Id),
            ("slot", slot.Id),
            ("model", job.Spec.Model),
            ("card", slot.Card),
            ("driver", slot.Driver),
            ("version", worker.Version),
            ("geometry", PlanCorrections.GeometryOf(job.Spec)),
            ("attempt", job.Attempt),
            ("step_downs", job.StepDowns),
            ("now", db.Dialect.Time(now))
        );
        return job;
    }

    /// <summary>
    /// Two leases at the same moment don't see each other in <see cref="JobTransitions.FullKeys"/>. The key's row puts them in order, and
    /// the second one counts again. Keys without a limit are not locked.
    /// </summary>
    private static async Task RequireRunningRoomAsync(JobsDbContext db, string jobId, CancellationToken cancellationToken)
    {
        var limits = await db.RowsAsync(
            """
            SELECT k.id, k.max_running FROM api_keys k
            WHERE k.id = (SELECT key_id FROM jobs WHERE id = @job) AND k.max_running IS NOT NULL
            FOR UPDATE
            """,
            row => (Key: row.GetString(0), Most: row.GetInt32(1)),
            cancellationToken,
            ("job", jobId)
        );
        if (limits.Count == 0)
        {
            return;
        }

        var running = await db.RowsAsync(
            $"SELECT COUNT(*) FROM jobs WHERE key_id = @key AND {JobTransitions.Running}",
            row => row.GetInt64(0),
            cancellationToken,
            ("key", limits[0].Key)
        );
        if (running[0] > limits[0].Most)
        {
            throw new RunningQuotaMetException();
        }
    }
}

/// <summary>The job that was taken is one too many of its key: the transaction is rolled back, and the slot looks again.</summary>
internal sealed class RunningQuotaMetException : Exception;
