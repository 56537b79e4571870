using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Tests;

/// <summary>What was measured corrects each plan that is considered, by the kind it is of.</summary>
[Properties(Arbitrary = [typeof(PlannerProperties.Arbitraries)], MaxTest = 200)]
public sealed class CorrectionsTests
{
    private static readonly SlotState Slot = SlotState.Gpu(16, "NVIDIA H100 80GB HBM3", Planning.Cards.KnownCards.Find("H100"));
    private static readonly PlanRequest Request = PlanRequest.DefaultOf(ModelShapes.T2v14B);

    [Fact]
    public void Plan_ItsKindMeasured_IsCorrectedByThat()
    {
        var before = Planner.Plan(Request, Slot).Plan!;

        var after = Corrected(new(new(1.1, 1.2, 9), [new("of another sort", new(2, 2, 9)), new(before.Kind, new(1, 1.5, 4))]));

        Assert.Equal(
            before with
            {
                Reasons = after.Reasons,
                StagePeakBytes = after.StagePeakBytes,
            },
            after with
            {
                PredictedSeconds = before.PredictedSeconds,
                PredictedStepSeconds = before.PredictedStepSeconds,
            }
        );
        Assert.Equal(1.5, after.PredictedStepSeconds / before.PredictedStepSeconds, 1e-9);
        Assert.Contains(after.Reasons, reason => reason.Contains("4 measured runs", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_ItsKindNoLongerFits_TakesTheFastestOfThoseThatDo()
    {
        var before = Planner.Plan(Request, Slot).Plan!;

        var after = Corrected(new(new(1, 1, 9), [new(before.Kind, new(2, 1, 4))]));

        Assert.NotEqual(before.Kind, after.Kind);
        Assert.Equal(after.UncorrectedPeakBytes, after.PredictedPeakBytes);
        Assert.True(after.PredictedSeconds >= before.PredictedSeconds);
    }

    [Fact]
    public void Plan_StepTimesMeasured_CorrectThePredictionAndNotTheChoice()
    {
        var before = Planner.Plan(Request, Slot).Plan!;

        var after = Corrected(new(new(1, 0.5, 9), [new(before.Kind, new(1, 4, 9))]));

        Assert.Equal(before.Kind, after.Kind);
        Assert.Equal(4, after.PredictedStepSeconds / before.PredictedStepSeconds, 1e-9);
    }

    [Fact]
    public void Of_KindNeverMeasured_IsTheModelsOrAsCarefulAsTheWorst()
    {
        KindCorrection[] kinds = [new("one", new(0.95, 1.2, 2)), new("two", new(1.3, 1, 1))];

        Assert.Equal(new(1.1, 1, 5), new MeasuredCorrections(new(1.1, 1, 5), kinds).Of("three"));
        Assert.Equal(new(1.3, 1, 1), new MeasuredCorrections(null, kinds).Of("three"));
        Assert.Equal(new(1, 1.2, 2), new MeasuredCorrections(null, kinds[..1]).Of("three"));
        Assert.Equal(new(0.95, 1.2, 2), new MeasuredCorrections(null, kinds).Of("one"));
        Assert.Null(MeasuredCorrections.None.Of("three"));
    }

    [Property]
    public void Plan_AnyCorrections_AreThoseOfThePlansOwnKind(PlannerProperties.Case @case, NonEmptyArray<byte> factors)
    {
        var corrections = CorrectionsFor(@case, factors.Get);
        var result = Planner.Plan(@case.Request with { Corrections = corrections }, @case.Slot);
        foreach (var plan in result.Alternatives)
        {
            var factor = Math.Clamp(corrections.Of(plan.Kind)?.PeakFactor ?? 1, 0.9, 2);
            Assert.InRange(plan.PredictedPeakBytes / (plan.UncorrectedPeakBytes!.Value * factor), 0.999_999, 1.000_001);
        }
    }

    [Property]
    public void Plan_AnyCorrections_MoreMemoryIsNeverSlower(PlannerProperties.Case @case, NonEmptyArray<byte> factors)
    {
        var corrections = CorrectionsFor(@case, factors.Get);
        var ofPeaks = corrections.OfKinds.Select(kind => kind with { Correction = kind.Correction with { StepTimeFactor = 1 } }).ToList();
        var request = @case.Request with
        {
            Corrections = new(corrections.OfModel is { } model ? model with { StepTimeFactor = 1 } : null, ofPeaks),
        };
        var result = Planner.Plan(request, @case.Slot);
        foreach (var (faster, leaner) in result.Alternatives.Zip(result.Alternatives.Skip(1)))
        {
            Assert.True(leaner.PredictedPeakBytes < faster.PredictedPeakBytes);
            Assert.True(PlannerProperties.IsNoSlower(faster, leaner));
        }
    }

    [Property]
    public void Plan_EveryKindMeasuredAlike_IsAsIfTheModelWas(PlannerProperties.Case @case, NonEmptyArray<byte> factors)
    {
        var one = Factor(factors.Get[0]);
        var kinds = CorrectionsFor(@case, factors.Get).OfKinds.Select(kind => kind with { Correction = one }).ToList();
        var (apart, together) = (new MeasuredCorrections(one, kinds), new MeasuredCorrections(one, []));

        Assert.Equal(
            Planner.Plan(@case.Request with { Corrections = together }, @case.Slot).Plan?.Kind,
            Planner.Plan(@case.Request with { Corrections = apart }, @case.Slot).Plan?.Kind
        );
    }

    private static RenderPlan Corrected(MeasuredCorrections corrections) =>
        Planner.Plan(Request with { Corrections = corrections }, Slot).Plan!;

    /// <summary>One for some of the kinds that this job may run as, and for one that it may not.</summary>
    private static MeasuredCorrections CorrectionsFor(PlannerProperties.Case @case, byte[] factors)
    {
        var kinds = Planner.Plan(@case.Request, @case.Slot).Alternatives.Select(plan => plan.Kind).Distinct().Prepend("of another sort");
        return new(
            factors.Length % 2 == 0 ? Factor(factors[^1]) : null,
            [.. kinds.Zip(factors).Where(pair => pair.Second % 3 > 0).Select(pair => new KindCorrection(pair.First, Factor(pair.Second)))]
        );
    }

    private static PlanCorrection Factor(byte of) => new(0.9 + (of / 255.0), 0.5 + (of / 128.0), of);
}
