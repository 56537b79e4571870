using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Webhooks;

/// <summary>Deliveries as rows: which are due, and what came of each try. They are set up by <see cref="EventLog.PlaceAsync"/>.</summary>
public sealed class DeliveryStore(JobDatabase database, TimeProvider time)
{
    /// <summary>Who takes a delivery and dies with it loses it to another after this long.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromMinutes(1);

    private const int KeptTries = 20;

    private static readonly string Pending = $"state = '{Word.Of(DeliveryState.Pending)}'";

    /// <summary>Where something is due, the longest overdue first.</summary>
    public Task<IReadOnlyList<DeliveryLane>> DueLanesAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<DeliveryLane>>(
            async db =>
                await db.RowsAsync(
                    $"""
                    SELECT key_id, host FROM webhook_deliveries WHERE {Pending} GROUP BY key_id, host
                    HAVING MIN(next_try_at) <= @now ORDER BY MIN(next_try_at)
                    """,
                    row => new DeliveryLane(row.GetString(0), row.GetString(1)),
                    cancellationToken,
                    ("now", db.Dialect.Time(time.GetUtcNow()))
                ),
            cancellationToken,
            StorePatience.Pass
        );

    /// <summary>Takes deliveries whose time has come, so many of each lane; nobody else gets them for <see cref="Hold"/>.</summary>
    public Task<IReadOnlyList<DueDelivery>> TakeDueAsync(
        IReadOnlyList<(DeliveryLane Lane, int Most)> lanes,
        CancellationToken cancellationToken
    ) =>
        database.WriteAsync<IReadOnlyList<DueDelivery>>(
            async db =>
            {
                var now = time.GetUtcNow();
                var ids = new List<long>();
                foreach (var (lane, most) in lanes)
                {
                    ids.AddRange(
                        await db.RowsAsync(
                            $"""
                            UPDATE webhook_deliveries SET next_try_at = @until WHERE event_id IN (
                                SELECT event_id FROM webhook_deliveries
                                WHERE {Pending} AND key_id = @key AND host = @host AND next_try_at <= @now
                                ORDER BY next_try_at, event_id LIMIT @most {db.Dialect.SkipLocked})
                            RETURNING event_id
                            """,
                            row => row.GetInt64(0),
                            cancellationToken,
                            ("key", lane.KeyId),
                            ("host", lane.Host),
                            ("now", db.Dialect.Time(now)),
                            ("until", db.Dialect.Time(now + Hold)),
                            ("most", most)
                        )
                    );
                }

                if (ids.Count == 0)
                {
                    return [];
                }

                var rows = await (
                    from delivery in db.WebhookDeliveries.AsNoTracking()
                    where ids.Contains(delivery.EventId)
                    join told in db.Events.AsNoTracking() on delivery.EventId equals told.Id
                    join job in db.Jobs.AsNoTracking() on delivery.JobId equals job.Id
                    join record in db.LeaseRecords
                        on new { JobId = job.Id, job.Fence } equals new { record.JobId, record.Fence }
                        into records
                    from lease in records.DefaultIfEmpty()
                    orderby delivery.EventId
                    select new
                    {
                        delivery,
                        told,
                        job,
                        lease,
                    }
                ).ToListAsync(cancellationToken);
                return rows.ConvertAll(row =>
                {
                    var happened = EventLog.ToEvent(row.told);
                    return new DueDelivery(
                        ToDelivery(row.delivery, happened.Position),
                        new EventOfJob(happened, row.job.ToJob(row.lease).At(happened), row.job.IdempotencyKey)
                    );
                });
            },
            cancellationToken,
            StorePatience.Pass
        );

    /// <summary>
    /// Gives up what has waited for a host since before a time: nobody answers there, so no try of its own is made for each.
    /// </summary>
    /// <returns>How many there were.</returns>
    public Task<int> GiveUpAsync(DeliveryLane lane, DateTimeOffset occurredBefore, DeliveryTry last, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(lane);
        ArgumentNullException.ThrowIfNull(last);
        return database.WriteAsync(
            db =>
                db.ExecuteAsync(
                    $"""
                    UPDATE webhook_deliveries SET state = '{Word.Of(DeliveryState.Failed)}', finished_at = @now,
                        log = CASE WHEN tries = 0 THEN @log ELSE log END
                    WHERE {Pending} AND key_id = @key AND host = @host AND occurred_at < @before
                    """,
                    cancellationToken,
                    ("key", lane.KeyId),
                    ("host", lane.Host),
                    ("before", db.Dialect.Time(occurredBefore)),
                    ("now", db.Dialect.Time(time.GetUtcNow())),
                    ("log", JsonSerializer.Serialize([last], DeliveryJson.Default.DeliveryTryArray))
                ),
            cancellationToken,
            StorePatience.Pass
        );
    }

    /// <summary>Notes a try and what follows from it.</summary>
    /// <param name="retryAfter">Null when there is no further one.</param>
    public Task RecordAsync(Delivery delivery, DeliveryTry made, TimeSpan? retryAfter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(delivery);
        ArgumentNullException.ThrowIfNull(made);
        var now = time.GetUtcNow();
        var state =
            made.Error is null ? DeliveryState.Delivered
            : retryAfter is null ? DeliveryState.Failed
            : DeliveryState.Pending;
        var log = JsonSerializer.Serialize(delivery.Log.Append(made).TakeLast(KeptTries).ToArray(), DeliveryJson.Default.DeliveryTryArray);
        return database.WriteAsync(
            db =>
                db.WebhookDeliveries.Where(d => d.EventId == delivery.EventId && d.State == DeliveryState.Pending)
                    .ExecuteUpdateAsync(
                        set =>
                            set.SetProperty(d => d.State, state)
                                .SetProperty(d => d.Tries, d => d.Tries + 1)
                                .SetProperty(d => d.NextTryAt, now + (retryAfter ?? TimeSpan.Zero))
                                .SetProperty(d => d.FinishedAt, state == DeliveryState.Pending ? null : now)
                                .SetProperty(d => d.Log, log),
                        cancellationToken
                    ),
            cancellationToken,
            StorePatience.Pass
        );
    }

    /// <summary>For metrics: what is to be delivered still, and since when the oldest of it.</summary>
    public Task<EventBacklog> BacklogAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(
            db =>
                EventBacklog.OfAsync(
                    db.WebhookDeliveries.Where(d => d.State == DeliveryState.Pending).Select(d => d.OccurredAt),
                    time.GetUtcNow(),
                    cancellationToken
                ),
            cancellationToken,
            StorePatience.Many
        );

    /// <summary>All deliveries of a job, oldest first; the caller has checked that the job may be seen.</summary>
    public Task<IReadOnlyList<Delivery>> OfJobAsync(string jobId, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<Delivery>>(
            async db =>
            {
                var rows = await (
                    from delivery in db.WebhookDeliveries.AsNoTracking()
                    where delivery.JobId == jobId
                    join told in db.Events.AsNoTracking() on delivery.EventId equals told.Id
                    orderby delivery.EventId
                    select new { delivery, told.Position }
                ).ToListAsync(cancellationToken);
                return rows.ConvertAll(row => ToDelivery(row.delivery, row.Position!.Value));
            },
            cancellationToken
        );

    private static Delivery ToDelivery(WebhookDeliveryRow row, long position) =>
        new()
        {
            EventId = row.EventId,
            Position = position,
            JobId = row.JobId,
            KeyId = row.KeyId,
            Type = row.Type,
            Url = row.Url,
            Host = row.Host,
            State = row.State,
            Tries = row.Tries,
            NextTryAt = row.State == DeliveryState.Pending ? row.NextTryAt : null,
            OccurredAt = row.OccurredAt,
            FinishedAt = row.FinishedAt,
            Log = JsonSerializer.Deserialize(row.Log, DeliveryJson.Default.DeliveryTryArray)!,
        };
}

public sealed record DueDelivery(Delivery Delivery, EventOfJob Event);
