using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Moves the farm's virtual time on: to the lowest start tag that waits, or, where nothing waits, to the highest that was
/// served. A key that comes now starts there: beside those who have had least, neither before them for having been idle
/// nor behind a key whose priority has carried it far ahead. Only what somebody could run counts, and only what never
/// ran: a job without a card, one that is paused, and one that comes back with an old tag must not hold the clock.
/// </summary>
public sealed class FairClock(JobDatabase database, WorkerRegistry workers) : ISweep
{
    private double _told;

    public string Name => "fair_clock";

    public TimeSpan Every => TimeSpan.FromSeconds(1);

    /// <returns>Always 0: a clock that ticks is no news.</returns>
    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var fleet = await workers.FleetAsync(cancellationToken);
        var now = await database.ReadAsync(
            db => NowAsync(db, fleet.Pairs, cancellationToken),
            cancellationToken,
            StorePatience.Pass
        );
        if (now <= _told)
        {
            return 0;
        }

        await database.WriteAsync(db => SetAsync(db, now, cancellationToken), cancellationToken, StorePatience.Pass);
        _told = now;
        return 0;
    }

    /// <param name="db">Is only read.</param>
    /// <param name="pairs">The lines that somebody serves.</param>
    /// <param name="cancellationToken">Of the pass.</param>
    internal static async Task<double> NowAsync(JobsDbContext db, IReadOnlyList<QueuePair> pairs, CancellationToken cancellationToken) =>
        await LeastWaitingAsync(db, pairs, cancellationToken) ?? await MostServedAsync(db, cancellationToken);

    /// <summary>It never goes back.</summary>
    internal static Task<int> SetAsync(JobsDbContext db, double now, CancellationToken cancellationToken) =>
        db.ExecuteAsync(
            """
            INSERT INTO fair_clock (id, virtual_time) VALUES (1, @now)
            ON CONFLICT (id) DO UPDATE SET virtual_time = excluded.virtual_time
                WHERE fair_clock.virtual_time < excluded.virtual_time
            """,
            cancellationToken,
            ("now", now)
        );

    private static async Task<double> MostServedAsync(JobsDbContext db, CancellationToken cancellationToken) =>
        (
            await db.RowsAsync("SELECT COALESCE(MAX(start_tag), 0.0) FROM jobs WHERE fence > 0", row => row.GetDouble(0), cancellationToken)
        ).Single();

    private static async Task<double?> LeastWaitingAsync(
        JobsDbContext db,
        IReadOnlyList<QueuePair> pairs,
        CancellationToken cancellationToken
    )
    {
        double? least = null;
        foreach (var (model, vramClass) in pairs)
        {
            var found = await db.RowsAsync(
                $"""
                SELECT start_tag FROM jobs
                WHERE model = @model AND vram_class = @class AND {JobTransitions.Queued} AND fence = 0
                    AND {JobTransitions.IsOffered("@model")}
                    AND key_id NOT IN ({JobTransitions.HeldBackKeys}) AND (key_id, model) NOT IN ({JobTransitions.PausedPairs})
                ORDER BY start_tag LIMIT 1
                """,
                row => row.GetDouble(0),
                cancellationToken,
                ("model", model),
                ("class", vramClass)
            );
            if (found.Count == 1 && !(least <= found[0]))
            {
                least = found[0];
            }
        }
        return least;
    }
}
