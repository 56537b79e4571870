using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Jobs.Forecasts;

/// <summary>
/// How long renders took, from lease to end, in units of what had been estimated for them: per model and card, as of a few
/// seconds ago.
/// </summary>
public sealed class RenderTimes(JobDatabase database, TimeProvider time)
{
    private const int NewestRenders = 100;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<(string Model, string Card), (long At, MeasuredTimes Times)> _known = new();

    public async Task<MeasuredTimes> OfAsync(string model, string card, CancellationToken cancellationToken)
    {
        if (_known.TryGetValue((model, card), out var known) && time.GetElapsedTime(known.At) < Fresh)
        {
            return known.Times;
        }

        var at = time.GetTimestamp();
        var rows = await database.ReadAsync(
            db =>
                (
                    from lease in db.LeaseRecords.AsNoTracking()
                    where lease.Model == model && lease.Card == card && lease.Ending == LeaseEnding.Completed && lease.Geometry != null
                    join job in db.Jobs.AsNoTracking() on lease.JobId equals job.Id
                    where job.EstimatedSeconds > 0
                    orderby lease.LeasedAt descending
                    select new
                    {
                        lease.Geometry,
                        lease.LeasedAt,
                        lease.EndedAt,
                        job.EstimatedSeconds,
                    }
                )
                    .Take(NewestRenders)
                    .ToListAsync(cancellationToken),
            cancellationToken
        );
        var times = new MeasuredTimes([
            .. rows.Select(row => (row.Geometry!, (row.EndedAt!.Value - row.LeasedAt).TotalSeconds / row.EstimatedSeconds)),
        ]);
        _known[(model, card)] = (at, times);
        return times;
    }
}

/// <summary>Measured ÷ estimated, newest first. A video of the same size counts before all others.</summary>
public sealed class MeasuredTimes(IReadOnlyList<(string Geometry, double Factor)> newestFirst)
{
    private const int Enough = 20;

    /// <summary>Null before anything was measured.</summary>
    public double? Of(string geometry) =>
        Median([.. newestFirst.Where(figure => figure.Geometry == geometry).Take(Enough).Select(figure => figure.Factor)]) ?? OfAny;

    /// <inheritdoc cref="Of"/>
    public double? OfAny { get; } = Median([.. newestFirst.Take(Enough).Select(figure => figure.Factor)]);

    private static double? Median(double[] figures)
    {
        Array.Sort(figures);
        return figures.Length == 0 ? null : figures[figures.Length / 2];
    }
}
