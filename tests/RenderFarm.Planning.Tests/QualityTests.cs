using System.Globalization;
using System.Text.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;
using RenderFarm.Planning.Schemes;
using RenderFarm.Testing;

namespace RenderFarm.Planning.Tests;

/// <summary>What each quality chooses, and what the plan says of it.</summary>
public sealed class QualityTests
{
    private const long GiB = 1L << 30;
    private static readonly SlotState Card = AskedCard.Find("H200", null, null)!;

    private static PlanRequest Job(Quality quality, int frames = 81, PlanPins? pins = null, WeightStorage storedIn = WeightStorage.Full) =>
        PlanRequest.DefaultOf(ModelShapes.T2v14B) with
        {
            Width = 832,
            Height = 480,
            Frames = frames,
            Quality = quality,
            Pins = pins ?? new(),
            StoredIn = storedIn,
        };

    [Theory]
    [InlineData(Quality.Exact, null, Precision.Bf16)]
    [InlineData(Quality.Balanced, null, Precision.Fp8)]
    [InlineData(Quality.Balanced, AttentionPrecision.Full, Precision.Bf16)] // Products alone gain less than a quarter there
    [InlineData(Quality.Fast, AttentionPrecision.Full, Precision.Fp8)]
    public void Plan_Quality_ChoosesThePrecision(Quality quality, AttentionPrecision? attention, Precision expected)
    {
        var plan = Planner.Plan(Job(quality, pins: new() { Attention = attention, BlocksStreamed = 0 }), Card).Plan!;
        Assert.Equal(expected, plan.Precision);
        Assert.Equal(SchemeErrors.Of(plan.Precision, plan.Attention), plan.VelocityError);
    }

    [Fact]
    public void Plan_EightBitsForTheirGain_SaysErrorAndGainByItsOwnFigures()
    {
        var balanced = Planner.Plan(Job(Quality.Balanced), Card).Plan!;
        var exact = Planner.Plan(Job(Quality.Exact), Card).Plan!;
        var said = balanced.Reasons.Single(reason => reason.StartsWith("Quality balanced", StringComparison.Ordinal));
        Assert.StartsWith("Quality balanced: fp8 with eight-bit attention (velocity error 0.051), ", said, StringComparison.Ordinal);
        var gain = exact.PredictedSeconds / balanced.PredictedSeconds;
        Assert.InRange(double.Parse(said.Split(", ")[1].Split(' ')[0], CultureInfo.InvariantCulture), gain * 0.96, gain * 1.04);
        Assert.True(gain > 1.25);
    }

    [Fact]
    public void Plan_EightBitsForMemory_SaysSo()
    {
        // Nothing in bf16 is prepared in 20 GiB
        var plan = Planner.Plan(Job(Quality.Balanced, frames: 5), Card with { HostBytes = 20 * GiB }).Plan!;
        Assert.NotEqual(Precision.Bf16, plan.Precision);
        Assert.Contains(
            plan.Reasons,
            reason => reason.StartsWith("Quality balanced", StringComparison.Ordinal)
                && reason.Contains("don't fit the 20.0 GiB of host memory", StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Plan_ExactWhereItsPrecisionDoesNotFitTheHost_IsRefusedWithTheWayOut()
    {
        var refusal = Planner.Plan(Job(Quality.Exact), Card with { HostBytes = 20 * GiB }).Refusal!;
        Assert.Contains("in bf16", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("another quality than exact", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Quality.Exact, Precision.Fp8)]
    [InlineData(Quality.Fast, Precision.Bf16)]
    public void Plan_Pin_Wins(Quality quality, Precision pinned) =>
        Assert.Equal(pinned, Planner.Plan(Job(quality, pins: new() { Precision = pinned }), Card).Plan!.Precision);

    [Theory]
    [InlineData(Quality.Exact)]
    [InlineData(Quality.Balanced)]
    [InlineData(Quality.Fast)]
    public void Plan_FileInEightBits_IsNotBlownUp(Quality quality)
    {
        var result = Planner.Plan(Job(quality, storedIn: WeightStorage.Float8), Card);
        Assert.All(result.Alternatives.Append(result.Plan!), plan => Assert.NotEqual(Precision.Bf16, plan.Precision));
        Assert.Equal(quality == Quality.Exact, result.Plan!.Precision == Precision.Fp8Weights);
    }

    [Fact]
    public void Plan_OnCpu_KnowsNoQuality() =>
        Assert.All(
            Enum.GetValues<Quality>(),
            quality => Assert.Equal(
                Precision.Fp32,
                Planner.Plan(PlanRequest.DefaultOf(ModelShapes.Small) with { Quality = quality }, SlotState.Cpu(4 * GiB)).Plan!.Precision
            )
        );

    /// <summary>Nothing is promised that was not measured.</summary>
    [Fact]
    public void Measured_Errors_AreThoseOfTheBench()
    {
        using var results = JsonDocument.Parse(
            File.ReadAllBytes(Path.Combine(Checkout.Path, "tests", "RenderFarm.Benchmarks", "results", "h200-quality.json"))
        );
        var figures = results
            .RootElement.GetProperty("figures")
            .EnumerateArray()
            .ToDictionary(figure => figure.GetProperty("name").GetString()!, figure => figure.GetProperty("value").GetDouble());
        Assert.All(SchemeErrors.Measured, scheme => Assert.Equal(figures[scheme.Figure], scheme.Error, 0.000_1));
    }
}
