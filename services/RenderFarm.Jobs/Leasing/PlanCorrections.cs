using System.Collections.Concurrent;
using System.Globalization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Jobs.Leasing;

/// <summary>
/// What measurements say of predictions, per model, card, driver and worker version, and within these per kind of plan. A
/// video of the same size counts before all others, because what the memory model misses depends on the size.
/// </summary>
/// <remarks>
/// An attempt that ran out of memory counts with what it had and asked for: the least its peak could have been. So the same
/// video, submitted again, gets a plan that leaves room. The job's own failures don't count: its step-downs say that already.
/// </remarks>
public sealed class PlanCorrections(JobDatabase database, TimeProvider time)
{
    private const int NewestFigures = 100;
    private const int NewestOfKind = 10;

    /// <summary>One attempt may have been unlike others; a kind that was never measured is corrected by several or not at all.</summary>
    private const int EnoughForModel = 3;

    private static readonly string Completed = Word.Of(LeaseEnding.Completed);
    private static readonly string OutOfMemory = Word.Of(FailureReason.GpuOutOfMemory);
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private readonly ConcurrentDictionary<
        (string Model, string Card, string Driver, string Version),
        (long At, IReadOnlyList<Figure> Figures)
    > _known = new();

    /// <summary><c>832x480x81</c></summary>
    public static string GeometryOf(RenderSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        return string.Create(CultureInfo.InvariantCulture, $"{spec.Width}x{spec.Height}x{spec.Frames}");
    }

    /// <summary>Never fails: the lease is granted already, and a plan without corrections is a plan.</summary>
    public async Task<MeasuredCorrections> OfAsync(LeasedJob job, SlotDescription slot, string workerVersion)
    {
        ArgumentNullException.ThrowIfNull(job);
        ArgumentNullException.ThrowIfNull(slot);
        try
        {
            var figures = await FiguresAsync(job.Spec.Model, slot.Card, slot.Driver ?? "", workerVersion);
            return From([.. figures.Where(figure => figure.JobId != job.Id)], GeometryOf(job.Spec));
        }
        catch (StoreUnavailableException)
        {
            return MeasuredCorrections.None;
        }
    }

    internal static MeasuredCorrections From(IReadOnlyList<Figure> figures, string geometry)
    {
        var kinds = figures
            .GroupBy(figure => figure.Kind, StringComparer.Ordinal)
            .Select(kind => (kind.Key, Figures: OfGeometry([.. kind], geometry)))
            .Where(kind => kind.Figures.Count > 0)
            .Select(kind => new KindCorrection(kind.Key, Of(kind.Figures)))
            .ToList();
        var others = OfGeometry(figures, geometry);
        return new MeasuredCorrections(others.Count < EnoughForModel ? null : Of(others), kinds);
    }

    private static List<Figure> OfGeometry(IReadOnlyList<Figure> newestFirst, string geometry)
    {
        // A lower bound under the prediction says nothing: somebody else took the memory
        var telling = newestFirst.Where(figure => !figure.IsLowerBound || figure.PeakFactor > 1).ToList();
        var same = telling.Where(figure => figure.Geometry == geometry).Take(NewestOfKind).ToList();
        return same.Count > 0 ? same : [.. telling.Take(NewestOfKind)];
    }

    /// <summary>The highest peak, because memory that is missing costs a whole attempt; the median time.</summary>
    private static PlanCorrection Of(List<Figure> figures)
    {
        var steps = figures.Where(figure => figure.StepFactor is not null).Select(figure => figure.StepFactor!.Value).Order().ToList();
        return new PlanCorrection(figures.Max(figure => figure.PeakFactor), steps.Count == 0 ? 1 : steps[steps.Count / 2], figures.Count);
    }

    private async Task<IReadOnlyList<Figure>> FiguresAsync(string model, string card, string driver, string version)
    {
        var key = (model, card, driver, version);
        if (_known.TryGetValue(key, out var known) && time.GetElapsedTime(known.At) < Fresh)
        {
            return known.Figures;
        }

        var now = time.GetTimestamp();
        var figures = await database.ReadAsync<IReadOnlyList<Figure>>(
            async db =>
                await db.RowsAsync(
                    $"""
                    SELECT job_id, geometry, plan_kind, predicted_peak_bytes, peak_bytes, predicted_step_seconds, step_seconds,
                        ending <> '{Completed}'
                    FROM lease_records
                    WHERE model = @model AND card = @card AND COALESCE(driver, '') = @driver AND worker_version = @version
                      AND plan_kind IS NOT NULL AND geometry IS NOT NULL AND predicted_peak_bytes > 0 AND peak_bytes > 0
                      AND (ending = '{Completed}' OR reason = '{OutOfMemory}')
                    ORDER BY leased_at DESC LIMIT {NewestFigures}
                    """,
                    row => new Figure(
                        row.GetString(0),
                        row.GetString(1),
                        row.GetString(2),
                        row.GetInt64(4) / (double)row.GetInt64(3),
                        row.IsDBNull(5) || row.IsDBNull(6) || row.GetDouble(5) <= 0 ? null : row.GetDouble(6) / row.GetDouble(5),
                        row.GetBoolean(7)
                    ),
                    CancellationToken.None,
                    ("model", model),
                    ("card", card),
                    ("driver", driver),
                    ("version", version)
                ),
            CancellationToken.None
        );
        _known[key] = (now, figures);
        return figures;
    }

    /// <param name="IsLowerBound">It ran out of memory: the peak would have been this or more.</param>
    internal sealed record Figure(string JobId, string Geometry, string Kind, double PeakFactor, double? StepFactor, bool IsLowerBound);
}
