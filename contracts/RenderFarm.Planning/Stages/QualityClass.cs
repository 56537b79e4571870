using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Schemes;

namespace RenderFarm.Planning.Stages;

/// <summary>Precisions that a request's quality holds for equal, and what a plan of theirs must gain to be taken.</summary>
/// <param name="Handicap">Times count so many times over; 1 for the precision of the model's file.</param>
/// <param name="MostError">Of a velocity; a way whose error was never measured isn't taken for itself.</param>
internal sealed record QualityClass(double Handicap, double MostError, IReadOnlyList<Precision> Precisions)
{
    /// <summary><c>balanced</c>: what eight bits must gain where the file's own precision fits too.</summary>
    public const double LeastGain = 1.25;
    private const double BalancedError = 0.06;
    private const double FastError = 0.10;

    /// <summary>Each with its own best plan; the one that counts least wins.</summary>
    public static IReadOnlyList<QualityClass> Of(PlanContext context)
    {
        var pins = context.Request.Pins;
        if (context.OnCpu || pins.Precision is not null)
        {
            return [new(1, double.MaxValue, pins.Precision is { } pinned ? [pinned] : EnginePrecisions.OnProcessors)];
        }

        var own = OwnOf(context.Request.StoredIn);
        var exact = new QualityClass(1, double.MaxValue, [own]);
        IReadOnlyList<Precision> all = [own, .. EightBits(context.Request.StoredIn).Where(one => one != own)];
        return context.Request.Quality switch
        {
            Quality.Exact => [exact],
            Quality.Fast => [new(1, FastError, all)],
            _ => [exact, new(LeastGain, BalancedError, [.. all.Skip(1)])],
        };
    }

    /// <summary>Which of them admit a way, a bit each, in their order.</summary>
    public static uint Admitting(PlanContext context, Precision precision, AttentionPrecision attention)
    {
        var bits = 0u;
        for (var place = 0; place < context.Classes.Count; place++)
        {
            bits |= context.Classes[place].Admits(context, precision, attention) ? 1u << place : 0;
        }

        return bits;
    }

    private bool Admits(PlanContext context, Precision precision, AttentionPrecision attention) =>
        Precisions.Contains(precision)
        && (MostError == double.MaxValue || Error(context, precision, attention) <= MostError);

    /// <summary>A pin on attention wins: then it is the precision's own error that counts.</summary>
    private static double? Error(PlanContext context, Precision precision, AttentionPrecision attention) =>
        SchemeErrors.Of(precision, context.Request.Pins.Attention is null ? attention : AttentionPrecision.Full);

    /// <summary>What the file holds, with products in sixteen bits: it is not blown up.</summary>
    private static Precision OwnOf(WeightStorage storedIn) =>
        storedIn switch
        {
            WeightStorage.Float8 => Precision.Fp8Weights,
            WeightStorage.Int8 when EnginePrecisions.OnCards.Contains(Precision.Int8Weights) => Precision.Int8Weights,
            _ => Precision.Bf16,
        };

    /// <summary>
    /// Int8 rounds finer than e4m3 on the same bytes, so that weights which are only stored in eight bits are stored in it, unless the
    /// file has e4m3 already.
    /// </summary>
    private static IEnumerable<Precision> EightBits(WeightStorage storedIn)
    {
        var stored =
            storedIn != WeightStorage.Float8
            && EnginePrecisions.OnCards.Contains(Precision.Int8Weights)
            && SchemeErrors.Of(Precision.Int8Weights, AttentionPrecision.Full) is not null
                ? Precision.Int8Weights
                : Precision.Fp8Weights;
        return new[] { stored, Precision.Fp8, Precision.Int8 }.Where(EnginePrecisions.OnCards.Contains);
    }
}
