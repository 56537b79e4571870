using Microsoft.EntityFrameworkCore;
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

    /// <summary>Events of one job after a position, oldest first; the caller has checked that the job may be seen.</summary>
    public Task<IReadOnlyList<ToldEvent>> OfJobAsync(string jobId, long after, CancellationToken cancellation) =>
        database.ReadAsync(db => TellAsync(db, db.Events.Where(e => e.JobId == jobId && e.Position > after), cancellation), cancellation);

    /// <summary>Whether something has happened to the job that readers of the log can't see yet.</summary>
    public Task<bool> IsBehindAsync(string jobId, CancellationToken cancellation) =>
        database.ReadAsync(db => db.Events.AnyAsync(e => e.JobId == jobId && e.Position == null, cancellation), cancellation);

    /// <summary>Events of all jobs of a scope after a position, oldest first, so many at a time.</summary>
    public Task<IReadOnlyList<ToldEvent>> OfScopeAsync(JobScope scope, long after, CancellationToken cancellation) =>
        database.ReadAsync(
            db =>
                TellAsync(
                    db,
                    scope.KeyId is { } key
                        ? db.Events.Where(e => e.KeyId == key && e.Position > after)
                        : db.Events.Where(e => e.Position > after),
                    cancellation
                ),
            cancellation
        );

    /// <summary>Events of the whole farm after a position, without their jobs.</summary>
    public Task<IReadOnlyList<JobEvent>> AfterAsync(long position, CancellationToken cancellation) =>
        database.ReadAsync<IReadOnlyList<JobEvent>>(
            async db =>
            {
                var rows = await db
                    .Events.AsNoTracking()
                    .Where(e => e.Position > position)
                    .OrderBy(e => e.Position)
                    .Take(Batch)
                    .ToListAsync(cancellation);
                return rows.ConvertAll(ToEvent);
            },
            cancellation
        );

    /// <summary>The newest position; 0 before the first event.</summary>
    public Task<long> EndAsync(CancellationToken cancellation) =>
        database.ReadAsync(async db => await db.Events.MaxAsync(e => e.Position, cancellation) ?? 0, cancellation);

    /// <summary>
    /// Gives every event that is committed and has none its place, in the order in which they happened to each job, and
    /// sets up the deliveries to webhooks that follow from them. How many there were.
    /// </summary>
    public async Task<int> PlaceAsync(CancellationToken cancellation)
    {
        // a look first: most passes find nothing, and need no lock
        if (!await database.ReadAsync(db => db.Events.AnyAsync(e => e.Position == null, cancellation), cancellation))
            return 0;
        return await database.WriteAsync(
            async db =>
            {
                // one at a time in the whole farm: positions become visible in their order
                if (db.Dialect.LockUntilCommit is { } take)
                    await db.ExecuteAsync(take, cancellation, ("key", SqlDialect.EventLogLock));
                var end = await db.Events.MaxAsync(e => e.Position, cancellation) ?? 0;
                var placed = await db.ExecuteAsync(
                    $"""
                    WITH fresh AS (SELECT id FROM events WHERE position IS NULL ORDER BY id LIMIT {Batch}),
                    numbered AS (SELECT id, ROW_NUMBER() OVER (ORDER BY id) AS number FROM fresh)
                    UPDATE events SET position = @end + numbered.number FROM numbered WHERE events.id = numbered.id
                    """,
                    cancellation,
                    ("end", end)
                );
                await db.ExecuteAsync(
                    $"""
                    INSERT INTO webhook_deliveries (event_id, job_id, key_id, type, job_state, url, state, tries, next_try_at, occurred_at, log)
                    SELECT e.id, e.job_id, e.key_id, e.type, e.state, j.webhook_url, 'pending', 0, @now, e.occurred_at, '[]'
                    FROM events e JOIN jobs j ON j.id = e.job_id
                    WHERE e.position > @end AND j.webhook_url IS NOT NULL
                      AND e.type IN ({string.Join(", ", Outbox.ForWebhooks.Select(type => $"'{type}'"))})
                    """,
                    cancellation,
                    ("end", end),
                    ("now", db.Dialect.Time(time.GetUtcNow()))
                );
                return placed;
            },
            cancellation
        );
    }

    /// <summary>
    /// Hands the events after a reader's place to it, with their jobs, and notes that it has had them. They come in order and
    /// at least once; <paramref name="forward"/> throws to have them again. Two processes don't forward at the same time.
    /// </summary>
    /// <returns>How many were handed on.</returns>
    public async Task<int> ForwardAsync(string reader, Func<IReadOnlyList<ToldEvent>, Task> forward, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(forward);
        if (database.Postgres is null)
        {
            // one process; and a transaction would keep every writer waiting while the broker answers
            var next = await database.ReadAsync(db => NextAsync(db, reader, cancellation), cancellation);
            if (next.Count == 0)
                return 0;
            await forward(next);
            return await database.WriteAsync(db => AdvanceAsync(db, reader, next, cancellation), cancellation);
        }
        if (
            !await database.ReadAsync(
                db =>
                    db.Events.AnyAsync(
                        e => e.Position > (db.LogCursors.Where(c => c.Name == reader).Max(c => (long?)c.Position) ?? 0),
                        cancellation
                    ),
                cancellation
            )
        )
            return 0;
        return await database.WriteAsync(
            async db =>
            {
                var (sql, key) = ("SELECT pg_try_advisory_xact_lock(@key, hashtext(@reader))", (int)SqlDialect.EventLogLock);
                var mine = (await db.RowsAsync(sql, row => row.GetBoolean(0), cancellation, ("key", key), ("reader", reader))).Single();
                if (!mine)
                    return 0;
                var next = await NextAsync(db, reader, cancellation);
                if (next.Count == 0)
                    return 0;
                await forward(next);
                return await AdvanceAsync(db, reader, next, cancellation);
            },
            cancellation
        );
    }

    private static async Task<IReadOnlyList<ToldEvent>> NextAsync(JobsDbContext db, string reader, CancellationToken cancellation)
    {
        var after = await db.LogCursors.Where(c => c.Name == reader).Select(c => c.Position).SingleOrDefaultAsync(cancellation);
        return await TellAsync(db, db.Events.Where(e => e.Position > after), cancellation);
    }

    private static async Task<IReadOnlyList<ToldEvent>> TellAsync(
        JobsDbContext db,
        IQueryable<EventRow> which,
        CancellationToken cancellation
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
            .ToListAsync(cancellation);
        return rows.ConvertAll(row =>
        {
            var happened = ToEvent(row.told);
            return new ToldEvent(happened, row.job.ToJob(row.lease).At(happened), row.job.IdempotencyKey);
        });
    }

    private static async Task<int> AdvanceAsync(
        JobsDbContext db,
        string reader,
        IReadOnlyList<ToldEvent> read,
        CancellationToken cancellation
    )
    {
        await db.ExecuteAsync(
            """
            INSERT INTO log_cursors (name, position) VALUES (@name, @position)
            ON CONFLICT (name) DO UPDATE SET position = excluded.position
            """,
            cancellation,
            ("name", reader),
            ("position", read[^1].Event.Position)
        );
        return read.Count;
    }

    internal static JobEvent ToEvent(EventRow row) =>
        new(row.Position!.Value, row.Type, row.JobId, row.KeyId, row.Model, row.State, row.OccurredAt);
}
