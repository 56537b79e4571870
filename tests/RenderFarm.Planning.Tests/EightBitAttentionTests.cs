using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Tests;

/// <summary>When tokens attend to each other in eight bits, and what is said of it.</summary>
public sealed class EightBitAttentionTests
{
    private static readonly CardCalibration H100 = KnownCards.Find("NVIDIA H100 80GB HBM3")!;

    private static PlanRequest Request(PlanPins? pins = null, int frames = 81) =>
        PlanRequest.DefaultOf(ModelShapes.T2v14B) with
        {
            Width = 832,
            Height = 480,
            Frames = frames,
            Pins = pins ?? new(),
        };

    private static PlanResult Plan(PlanRequest request, CardCalibration? calibration) =>
        Planner.Plan(request, SlotState.Gpu(80, calibration: calibration));

    [Fact]
    public void Plan_CalibrationRanIt_GoesWithFp8AndTakesTheMeasuredTime()
    {
        var plan = Plan(Request(), H100).Plan!;

        Assert.Equal((Precision.Fp8, AttentionPrecision.EightBit), (plan.Precision, plan.Attention));
        // Measured on a card of the same units: 1.73 s a forward
        Assert.InRange(plan.PredictedStepSeconds / 2, 1.5, 1.9);
        Assert.Contains("eight-bit-attention", plan.Kind, StringComparison.Ordinal);
        Assert.Contains(plan.Reasons, reason => reason.StartsWith("Tokens attend to each other in eight bits", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_CalibrationDidNotRunIt_AttendsInFull() =>
        Assert.Equal(AttentionPrecision.Full, Plan(Request(), H100 with { EightBitAttentionFlops = null }).Plan!.Attention);

    [Fact]
    public void Plan_ShortVideo_AttendsInFull() => Assert.Equal(AttentionPrecision.Full, Plan(Request(frames: 5), H100).Plan!.Attention);

    [Theory]
    [InlineData(Precision.Bf16, null, AttentionPrecision.Full)]
    [InlineData(Precision.Bf16, AttentionPrecision.EightBit, AttentionPrecision.EightBit)]
    [InlineData(null, AttentionPrecision.Full, AttentionPrecision.Full)]
    public void Plan_Pinned_IsAsPinned(Precision? precision, AttentionPrecision? attention, AttentionPrecision expected)
    {
        var plan = Plan(Request(new() { Precision = precision, Attention = attention }), H100).Plan!;

        Assert.Equal(expected, plan.Attention);
    }

    [Fact]
    public void Plan_PinnedWhereNoCalibrationRanIt_IsRefusedByName()
    {
        var request = Request(new() { Attention = AttentionPrecision.EightBit });
        var refusal = Plan(request, H100 with { EightBitAttentionFlops = null }).Refusal!;

        Assert.Equal("plan.attention", refusal.Field);
        Assert.Contains("calibration ran it correctly", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_PinnedForHeadsOfAnotherSize_IsRefusedByName()
    {
        var request = PlanRequest.DefaultOf(ModelShapes.Small) with { Pins = new() { Attention = AttentionPrecision.EightBit } };

        Assert.Equal("plan.attention", Plan(request, H100).Refusal!.Field);
    }

    [Fact]
    public void Plan_PinnedOnCpu_IsRefusedByName()
    {
        var request = PlanRequest.DefaultOf(ModelShapes.Small) with { Pins = new() { Attention = AttentionPrecision.EightBit } };

        Assert.Equal("plan.attention", Planner.Plan(request, SlotState.Cpu(8L << 30)).Refusal!.Field);
    }
}
