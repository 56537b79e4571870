using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Loops;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Workers;

namespace RenderFarm.Jobs.Maintenance;

/// <summary>
/// Rings for waiting jobs whose bell was never confirmed (broker down, process killed, back-off over), and once more for those
/// rung long ago, in case that the broker lost the bell afterwards. Of each line it looks at the jobs that go first, as many as
/// there are slots for them: a bell beyond these would wake nobody. It only reads.
/// </summary>
public sealed class BellRelay(JobDatabase database, WorkerRegistry workers, BellRinger ringer, JobSignal signal, TimeProvider time) : ISweep
{
    /// <summary>An unrung job this young is still the ringer's business.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    public static readonly TimeSpan RingAgainAfter = TimeSpan.FromSeconds(60);

    public string Name => "bell_relay";

    public TimeSpan Every => TimeSpan.FromSeconds(1);

    public async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var fleet = await workers.FleetAsync(cancellationToken);
        var waiting = await database.ReadAsync(
            db => FirstInLinesAsync(db, fleet, cancellationToken),
            cancellationToken,
            StorePatience.Pass
        );
        var rung = 0;
        foreach (var job in waiting.Where(job => !ringer.HasRung(job, RingAgainAfter)))
        {
            signal.Raise(job.Model, job.VramClass);
            // One refusal means that the broker is away: the others wait for the next pass
            if (!await ringer.RingAsync(job, cancellationToken))
            {
                break;
            }

            rung++;
        }

        return rung;
    }

    private async Task<List<Announcement>> FirstInLinesAsync(JobsDbContext db, Fleet fleet, CancellationToken cancellationToken)
    {
        var ripe = db.Dialect.Time(time.GetUtcNow() - Grace);
        var first = new List<Announcement>();
        foreach (var (model, vramClass) in fleet.Pairs)
        {
            first.AddRange(
                await db.RowsAsync(
                    $"""
                    SELECT id, fence FROM jobs
                    WHERE model = @model AND vram_class = @class AND {JobTransitions.Queued} AND queued_at <= @ripe
                        AND (not_before IS NULL OR not_before <= {db.Dialect.Now})
                        AND {JobTransitions.IsOffered("@model")}
                        AND key_id NOT IN ({JobTransitions.HeldBackKeys}) AND (key_id, model) NOT IN ({JobTransitions.PausedPairs})
                    ORDER BY order_key LIMIT @slots
                    """,
                    row => new Announcement(row.GetString(0), row.GetInt64(1), model, vramClass),
                    cancellationToken,
                    ("model", model),
                    ("class", vramClass),
                    ("ripe", ripe),
                    ("slots", fleet.Serving(model).Count(slot => slot.LargestClass >= vramClass))
                )
            );
        }

        return first;
    }
}
