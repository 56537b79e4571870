using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Events;

/// <summary>
/// The farm's one log of lifecycle events. A change of a job writes its event in its own transaction; soon after, the
/// event is given its place (<see cref="PlaceAsync"/>), and from then on readers see it: streams, webhooks, the broker.
/// </summary>
public sealed class EventLog(JobDatabase database, TimeProvider time)
{
    /// <summary>Events in one pass.</summary>
    internal const int Batch = 500;

    /// <summary>Who reads for a reader and dies at it loses that to another process after this long.</summary>
    public static readonly TimeSpan Hold = TimeSpan.FromSeconds(20);

    private readonly string _me = Guid.NewGuid().ToString("N");

    /// <summary>Events of one job after a position, oldest first; the caller has checked that the job may be seen.</summary>
    public Task<IReadOnlyList<EventOfJob>> OfJobAsync(string jobId, long after, CancellationToken cancellationToken) =>
        database.ReadAsync(
            db => TellAsync(db, db.Events.Where(e => e.JobId == jobId && e.Position > after), cancellationToken),
            cancellationToken
        );

    /// <summary>Whether something has happened to the job that readers of the log can't see yet.</summary>
    public Task<bool> IsBehindAsync(string jobId, CancellationToken cancellationToken) =>
        database.ReadAsync(db => db.Events.AnyAsync(e => e.JobId == jobId && e.Position == null, cancellationToken), cancellationToken);

    /// <summary>Events of all jobs of a scope after a position, oldest first, so many at a time.</summary>
    public Task<IReadOnlyList<EventOfJob>> OfScopeAsync(JobScope scope, long after, CancellationToken cancellationToken) =>
        database.ReadAsync(
            db =>
                TellAsync(
                    db,
                    scope.KeyId is { } key
                        ? db.Events.Where(e => e.KeyId == key && e.Position > after)
                        : db.Events.Where(e => e.Position > after),
                    cancellationToken
                ),
            cancellationToken
        );

    /// <summary>Events of the whole farm after a position, without their jobs.</summary>
    public Task<IReadOnlyList<JobEvent>> AfterAsync(long position, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<JobEvent>>(
            async db =>
            {
                var rows = await db
                    .Events.AsNoTracking()
                    .Where(e => e.Position > position)
                    .OrderBy(e => e.Position)
                    .Take(Batch)
                    .ToListAsync(cancellationToken);
                return rows.ConvertAll(ToEvent);
            },
            cancellationToken
        );

    /// <summary>For metrics: events that have no place yet, for the other readers can't see these either.</summary>
    public Task<EventBacklog> UnplacedAsync(CancellationToken cancellationToken) =>
        BacklogAsync(db => db.Events.Where(e => e.Position == null), cancellationToken);

    /// <summary>For metrics: events with a place that a reader has not had yet.</summary>
    public Task<EventBacklog> BacklogAsync(string reader, CancellationToken cancellationToken) =>
        BacklogAsync(
            db => db.Events.Where(e => e.Position > (db.LogCursors.Where(c => c.Name == reader).Max(c => (long?)c.Position) ?? 0)),
            cancellationToken
        );

    private Task<EventBacklog> BacklogAsync(Func<JobsDbContext, IQueryable<EventRow>> which, CancellationToken cancellationToken) =>
        database.ReadAsync(
            db => EventBacklog.OfAsync(which(db).Select(e => e.OccurredAt), time.GetUtcNow(), cancellationToken),
            cancellationToken,
            StorePatience.Many
        );

    /// <summary>The newest position; 0 before the first event.</summary>
    public Task<long> EndAsync(CancellationToken cancellationToken) =>
        database.ReadAsync(async db => await db.Events.MaxAsync(e => e.Position, cancellationToken) ?? 0, cancellationToken);

    /// <summary>
    /// Gives every event that is committed and has none its place, in the order in which they happened to each job, and
    /// sets up the deliveries to webhooks that follow from them. How many there were.
    /// </summary>
    public async Task<int> PlaceAsync(CancellationToken cancellationToken)
    {
        // A look first: most passes find nothing, and need no lock
        if (!await database.ReadAsync(db => db.Events.AnyAsync(e => e.Position == null, cancellationToken), cancellationToken))
        {
            return 0;
        }

        return await database.WriteAsync(
            async db =>
            {
                // One at a time in the whole farm: positions become visible in their order
                if (db.Dialect.LockUntilCommit is { } take)
                {
                    await db.ExecuteAsync(take, cancellationToken, ("key", SqlDialect.EventLogLock));
                }

                var end = await db.Events.MaxAsync(e => e.Position, cancellationToken) ?? 0;
                var placed = await db.ExecuteAsync(
                    $"""
                    WITH fresh AS (SELECT id FROM events WHERE position IS NULL ORDER BY id LIMIT {Batch}),
                    numbered AS (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS number FROM fresh)
                    UPDATE events SET position = @end + numbered.number FROM numbered WHERE events.id = numbered.id
                    """,
                    cancellationToken,
                    ("end", end)
                );
                await db.ExecuteAsync(
                    $"""
                    INSERT INTO webhook_deliveries (event_id, job_id, key_id, type, job_state, url, host, state, tries, next_try_at,
                        occurred_at, log)
                    SELECT e.id, e.job_id, e.key_id, e.type, e.state, j.webhook_url, {db.Dialect.HostOf("j.webhook_url")},
                        '{Word.Of(DeliveryState.Pending)}', 0, @now, e.occurred_at, '[]'
                    FROM events e JOIN jobs j ON j.id = e.job_id
                    WHERE e.position > @end AND j.webhook_url IS NOT NULL
                      AND e.type IN ({string.Join(", ", Outbox.ForWebhooks.Select(type => $"'{Word.Of(type)}'"))})
                    """,
                    cancellationToken,
                    ("end", end),
                    ("now", db.Dialect.Time(time.GetUtcNow()))
                );
                return placed;
            },
            cancellationToken,
            StorePatience.Pass
        );
    }

    /// <summary>
    /// Hands the events after a reader's place to it, with their jobs, and notes that it has had them. They come in order and
    /// at least once; <paramref name="forward"/> throws to have them again. Two processes don't forward at the same time, unless one
    /// takes longer than <see cref="Hold"/>. No transaction is open while the reader is at it: it may be at it for long.
    /// </summary>
    /// <returns>How many were handed on.</returns>
    public async Task<int> ForwardAsync(string reader, Func<IReadOnlyList<EventOfJob>, Task> forward, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(forward);
        if (!await database.ReadAsync(db => IsBehindAsync(db, reader, cancellationToken), cancellationToken, StorePatience.Pass))
        {
            return 0;
        }

        var next = await database.WriteAsync(db => TakeAsync(db, reader, cancellationToken), cancellationToken, StorePatience.Pass);
        if (next.Count == 0)
        {
            return 0;
        }

        await forward(next);
        await database.WriteAsync(db => AdvanceAsync(db, reader, next, cancellationToken), cancellationToken, StorePatience.Pass);
        return next.Count;
    }

    private static Task<bool> IsBehindAsync(JobsDbContext db, string reader, CancellationToken cancellationToken) =>
        db.Events.AnyAsync(
            e => e.Position > (db.LogCursors.Where(c => c.Name == reader).Max(c => (long?)c.Position) ?? 0),
            cancellationToken
        );

    /// <summary>What comes next, for this process alone; nothing while another one has it in hand.</summary>
    private async Task<IReadOnlyList<EventOfJob>> TakeAsync(JobsDbContext db, string reader, CancellationToken cancellationToken)
    {
        var place = await db.RowsAsync(
            $"""
            INSERT INTO log_cursors (name, position, holder, held_until) VALUES (@name, 0, @me, {db.Dialect.NowPlus("@hold")})
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
                WHERE log_cursors.holder = excluded.holder OR log_cursors.held_until IS NULL OR log_cursors.held_until < {db.Dialect.Now}
            RETURNING position
            """,
            row => row.GetInt64(0),
            cancellationToken,
            ("name", reader),
            ("me", _me),
            ("hold", Hold.TotalSeconds)
        );
        return place is [var after] ? await TellAsync(db, db.Events.Where(e => e.Position > after), cancellationToken) : [];
    }

    private static async Task<IReadOnlyList<EventOfJob>> TellAsync(
        JobsDbContext db,
        IQueryable<EventRow> which,
        CancellationToken cancellationToken
    )
    {
        var rows = await (
            from told in which.AsNoTracking()
            join job in db.Jobs.AsNoTracking() on told.JobId equals job.Id
            join record in db.LeaseRecords on new { JobId = job.Id, job.Fence } equals new { record.JobId, record.Fence } into records
            from lease in records.DefaultIfEmpty()
            orderby told.Position
            select new
            {
                told,
                job,
                lease,
            }
        )
            .Take(Batch)
            .ToListAsync(cancellationToken);
        return rows.ConvertAll(row =>
        {
            var happened = ToEvent(row.told);
            return new EventOfJob(happened, row.job.ToJob(row.lease).At(happened), row.job.IdempotencyKey);
        });
    }

    /// <summary>Lets go of the place too. Whoever took longer than he may has lost it: another one says how far it got.</summary>
    private Task<int> AdvanceAsync(
        JobsDbContext db,
        string reader,
        IReadOnlyList<EventOfJob> read,
        CancellationToken cancellationToken
    ) =>
        db.ExecuteAsync(
            "UPDATE log_cursors SET position = @position, held_until = NULL WHERE name = @name AND holder = @me",
            cancellationToken,
            ("name", reader),
            ("me", _me),
            ("position", read[^1].Event.Position)
        );

    internal static JobEvent ToEvent(EventRow row) =>
        new(row.Position!.Value, row.Type, row.JobId, row.KeyId, row.Model, row.State, row.OccurredAt);
}
