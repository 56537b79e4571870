using RenderFarm.Contracts.Leases;

namespace RenderFarm.Planning.Requests;

/// <summary>
/// What measurements of a model on a card said of its predictions: measured ÷ predicted, for each kind of plan and for all
/// together. Every plan that is considered is corrected by its own kind's: its peak decides whether it fits. Times correct what is
/// predicted, not what is chosen.
/// </summary>
/// <param name="OfModel">For kinds that were never measured; null before there are enough figures.</param>
/// <param name="OfKinds">One for each kind that was measured.</param>
public sealed record MeasuredCorrections(PlanCorrection? OfModel, IReadOnlyList<KindCorrection> OfKinds)
{
    public static readonly MeasuredCorrections None = new(null, []);

    /// <summary>
    /// One kind says little of another, and still is a reason for care: without a correction of the model, the others are taken
    /// to miss as the worst of the measured ones does, and never to need less than predicted.
    /// </summary>
    private readonly PlanCorrection? _ofOthers =
        OfModel
        ?? (
            OfKinds.MaxBy(kind => kind.Correction.PeakFactor)?.Correction is { } worst
                ? worst with { PeakFactor = Math.Max(1, worst.PeakFactor) }
                : null
        );

    /// <summary>Each that some kind of plan has, once; null stands for none.</summary>
    internal IEnumerable<PlanCorrection?> Distinct => OfKinds.Select(kind => kind.Correction).Append(_ofOthers).Distinct();

    /// <param name="kind"><see cref="Contracts.Plans.RenderPlan.Kind"/>.</param>
    public PlanCorrection? Of(string kind) => OfKinds.FirstOrDefault(known => known.Kind == kind)?.Correction ?? _ofOthers;
}
