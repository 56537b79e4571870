using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Rings for queued jobs whose bell was never confirmed (broker down, process killed, back-off over), and once more for
/// those rung long ago, in case that the broker lost the bell afterwards.
/// </summary>
public sealed class BellRelay(JobDatabase database, BellRinger ringer, JobSignal signal, TimeProvider time) : ISweep
{
    /// <summary>An unrung job this young is still the ringer's business, which notes what it has done every second.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    public static readonly TimeSpan RingAgainAfter = TimeSpan.FromSeconds(60);
    private const int Unrung = 100;
    private const int Stale = 10;

    public string Name => "bell_relay";

    public TimeSpan Every => TimeSpan.FromSeconds(1);

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var due = await database.ReadAsync(
            async db =>
            {
                var never = await db.RowsAsync(
                    $"""
                    SELECT id, model, vram_class FROM jobs
                    WHERE {JobTransitions.Queued} AND rung_at IS NULL AND queued_at <= @grace
                        AND (not_before IS NULL OR not_before <= {db.Dialect.Now})
                    LIMIT {Unrung}
                    """,
                    Read,
                    cancellationToken,
                    ("grace", db.Dialect.Time(now - Grace))
                );
                var stale = await db.RowsAsync(
                    $"""
                    SELECT id, model, vram_class FROM jobs
                    WHERE {JobTransitions.Queued} AND rung_at < @before ORDER BY rung_at LIMIT {Stale}
                    """,
                    Read,
                    cancellationToken,
                    ("before", db.Dialect.Time(now - RingAgainAfter))
                );
                return never.Concat(stale).ToList();
            },
            cancellationToken,
            StorePatience.Pass
        );

        var rung = 0;
        foreach (var job in due)
        {
            signal.Raise(job.Model, job.VramClass);
            // One refusal means that the broker is away: the others wait for the next pass
            if (!await ringer.RingAsync(job, cancellationToken))
            {
                break;
            }

            rung++;
        }
        await ringer.NoteRungAsync(TimeSpan.Zero, cancellationToken);
        return rung;

        static Announcement Read(System.Data.Common.DbDataReader row) => new(row.GetString(0), row.GetString(1), row.GetInt32(2));
    }
}
