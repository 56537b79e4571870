using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Tests;

public sealed class PlannerTests
{
    private const long GiB = 1L << 30;
    private static readonly CardCalibration H100 = KnownCards.Find("NVIDIA H100 80GB HBM3")!;

    private static PlanRequest T2v14B(int width = 832, int height = 480, int frames = 81) =>
        PlanRequest.DefaultOf(ModelShapes.T2v14B) with
        {
            Width = width,
            Height = height,
            Frames = frames,
            Steps = 20,
        };

    [Fact]
    public void Plan_14BAt480pWithEightGib_FitsByStreaming()
    {
        var plan = Planner.Plan(T2v14B(), SlotState.Gpu(8, calibration: H100)).Plan!;
        Assert.Equal(Precision.Fp8, plan.Precision);
        Assert.True(plan.BlocksStreamed > 0);
        Assert.True(plan.PredictedPeakBytes < 8 * GiB);
        Assert.Equal(40, plan.BlocksResident + plan.BlocksStreamed);
    }

    [Fact]
    public void Plan_14BAt480pFullyStreamed_NeedsLittleMoreThanTheActivations()
    {
        // Measured elsewhere on this kind of card: 4.6 GiB for a slower plan of the same streaming
        var request = T2v14B() with { Pins = new() { BlocksStreamed = 40, Precision = Precision.Fp8 } };
        var plan = Planner.Plan(request, SlotState.Gpu(80, calibration: H100)).Plan!;
        Assert.InRange(plan.StagePeakBytes["denoising"] / (double)GiB, 3.5, 6.2);
    }

    [Fact]
    public void Plan_14BAt720pWithTwelveGib_Fits() =>
        Assert.NotNull(Planner.Plan(T2v14B(1280, 720), SlotState.Gpu(12, calibration: H100)).Plan);

    [Fact]
    public void Plan_14BAt480pOnH100_TakesAboutTheMeasuredTime()
    {
        // Products and attention alone were measured at 2.19 s a forward (fp8) on this card
        var inFull = T2v14B() with
        {
            Pins = new()
            {
                Precision = Precision.Fp8,
                Attention = AttentionPrecision.Full,
                BlocksStreamed = 0,
            },
        };
        var fp8 = Planner.Plan(inFull, SlotState.Gpu(80, calibration: H100)).Plan!;
        Assert.Equal(0, fp8.BlocksStreamed);
        Assert.InRange(fp8.PredictedStepSeconds / 2, 2.1, 2.6);
        var bf16 = Planner.Plan(T2v14B() with { Pins = new() { Precision = Precision.Bf16 } }, SlotState.Gpu(80, calibration: H100)).Plan!;
        Assert.InRange(bf16.PredictedStepSeconds / 2, 2.6, 3.0);
    }

    [Fact]
    public void Plan_BlocksStreamedAt81Frames_CostsNextToNothing()
    {
        var resident = Planner.Plan(T2v14B(), SlotState.Gpu(80, calibration: H100)).Plan!;
        var streamed = Planner.Plan(T2v14B() with { Pins = new() { BlocksStreamed = 40 } }, SlotState.Gpu(80, calibration: H100)).Plan!;
        Assert.InRange(streamed.PredictedStepSeconds / resident.PredictedStepSeconds, 1.0, 1.01);
    }

    [Fact]
    public void Plan_OneFrameOnASlowBus_IsBoundByCopies()
    {
        // A single picture computes for less time than its blocks take to arrive
        var request = T2v14B(frames: 1) with { Pins = new() { BlocksStreamed = 40 } };
        var plan = Planner.Plan(request, SlotState.Gpu(24, calibration: H100 with { HostToDeviceBytesPerSecond = 12e9 })).Plan!;
        Assert.Contains(plan.Reasons, reason => reason.Contains("longer than", StringComparison.Ordinal));
        Assert.True(plan.GuidanceBatched);
    }

    [Fact]
    public void Plan_CardWithoutCalibration_NeverMultipliesInFp8()
    {
        var result = Planner.Plan(T2v14B(), SlotState.Gpu(24, card: "NVIDIA H100 80GB HBM3"));
        Assert.All(result.Alternatives.Append(result.Plan!), plan => Assert.NotEqual(Precision.Fp8, plan.Precision));
    }

    [Fact]
    public void Plan_PinnedFp8WithoutCalibration_IsRefusedByName()
    {
        var result = Planner.Plan(T2v14B() with { Pins = new() { Precision = Precision.Fp8 } }, SlotState.Gpu(80));
        Assert.Null(result.Plan);
        Assert.Equal("plan.precision", result.Refusal!.Field);
    }

    [Fact]
    public void Plan_PinnedToWhatTheRendererLacks_IsRefusedWithWhatItHas()
    {
        var lacking = Enum.GetValues<Precision>().Except(EnginePrecisions.OnCards);
        Assert.All(
            lacking,
            precision =>
            {
                var refusal = Planner.Plan(T2v14B() with { Pins = new() { Precision = precision } }, SlotState.Gpu(80)).Refusal!;
                Assert.Equal("plan.precision", refusal.Field);
                Assert.Contains("give fp32, bf16, ", refusal.Message, StringComparison.Ordinal);
            }
        );
    }

    [Fact]
    public void Plan_TooLittleMemory_IsRefusedWithTheFigures()
    {
        var result = Planner.Plan(T2v14B(1280, 720), SlotState.Gpu(4));
        Assert.Null(result.Plan);
        Assert.True(result.Refusal!.LeastPeakBytes > result.BudgetBytes);
        Assert.Contains(Names.Gib(result.Refusal.LeastPeakBytes!.Value), result.Refusal.Message, StringComparison.Ordinal);
        Assert.Contains("4.0 GiB free", result.Refusal.Message, StringComparison.Ordinal);
        Assert.All(result.Alternatives, plan => Assert.False(plan.Fits));
    }

    [Fact]
    public void Plan_LeastPeakOfARefusal_IsEnough()
    {
        var refusal = Planner.Plan(T2v14B(1280, 720), SlotState.Gpu(4)).Refusal!;
        var slot = SlotState.Gpu(24) with { FreeBytes = refusal.LeastPeakBytes!.Value + SlotState.Gpu(24).ReserveBytes };
        Assert.NotNull(Planner.Plan(T2v14B(1280, 720), slot).Plan);
        Assert.Null(Planner.Plan(T2v14B(1280, 720), slot with { FreeBytes = slot.FreeBytes - (1 << 20) }).Plan);
    }

    [Fact]
    public void Plan_HostMemoryTooSmallForBf16_TakesEightBitWeights()
    {
        var result = Planner.Plan(T2v14B(), SlotState.Gpu(24) with { HostBytes = 20 * GiB });
        Assert.Equal(Precision.Fp8Weights, result.Plan!.Precision);
        Assert.Contains(result.Plan.Reasons, reason => reason.Contains("host memory", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_HostMemoryTooSmallForAnything_IsRefused()
    {
        var result = Planner.Plan(T2v14B(), SlotState.Gpu(80) with { HostBytes = 8 * GiB });
        Assert.Contains("host memory", result.Refusal!.Message, StringComparison.Ordinal);
    }

    /// <summary>It used to fill the card, for nothing.</summary>
    [Fact]
    public void Plan_MemoryThatBuysNothing_IsNotTaken()
    {
        var result = Planner.Plan(T2v14B(), SlotState.Gpu(24, "RTX 4090", KnownCards.Find("RTX 4090")));
        Assert.True(result.Plan!.PredictedPeakBytes < 8 * GiB, Names.Gib(result.Plan.PredictedPeakBytes));
        var unlimited = Planner.Plan(T2v14B(), SlotState.Gpu(2048, "RTX 4090", KnownCards.Find("RTX 4090"))).Plan!;
        Assert.InRange(result.Plan.PredictedSeconds / unlimited.PredictedSeconds, 1, 1.03);
        Assert.Contains(result.Plan.Reasons, reason => reason.Contains("faster, too little to take them", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_HostMemory_IsSaidWithWhatTheHostHas()
    {
        var slot = SlotState.Gpu(24, calibration: H100);
        var plan = Planner.Plan(T2v14B(), slot with { HostBytes = 64 * GiB }).Plan!;
        Assert.InRange(plan.HostBytes / (double)GiB, 20, 25);
        Assert.Contains(
            plan.Reasons,
            reason => reason.StartsWith($"Prepared weights take {Names.Gib(plan.HostBytes)}", StringComparison.Ordinal)
                && reason.EndsWith("64.0 GiB are there.", StringComparison.Ordinal)
        );
        var less = Planner.Plan(T2v14B(), slot with { HostBytes = 16 * GiB }).Plan!;
        Assert.Contains(less.Reasons, reason => reason.Contains("make room for each other", StringComparison.Ordinal));
        Assert.Contains(Names.Gib(plan.HostBytes), PlanTable.Of(Planner.Plan(T2v14B(), slot))[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_StepDowns_EachNeedsATenthLess()
    {
        var slot = SlotState.Gpu(16, calibration: H100);
        var peaks = new List<long>();
        var job = T2v14B(frames: 1);
        for (var down = 0; Planner.Plan(job, slot, down).Plan is { } plan; down++)
        {
            peaks.Add(plan.PredictedPeakBytes);
        }

        Assert.True(peaks.Count >= 4);
        // The last rung is the least there is and may be nearer
        for (var i = 1; i < peaks.Count - 1; i++)
        {
            Assert.True(peaks[i] <= 0.9 * peaks[i - 1]);
        }

        Assert.True(peaks[^1] < peaks[^2]);
        var refusal = Planner.Plan(job, slot, peaks.Count).Refusal!;
        Assert.Contains("cheaper plan", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_MeasuredPeakAboveThePrediction_PlansLeaner()
    {
        var (slot, job) = (SlotState.Gpu(8, calibration: H100), T2v14B(frames: 1) with { Quality = Quality.Fast });
        var before = Planner.Plan(job, slot).Plan!;
        var after = Planner
            .Plan(job with { Corrections = new(new(PeakFactor: 1.2, StepTimeFactor: 1.5, Samples: 3), []) }, slot)
            .Plan!;
        Assert.True(after.BlocksStreamed > before.BlocksStreamed);
        Assert.InRange(after.PredictedStepSeconds / after.UncorrectedStepSeconds!.Value, 1.499, 1.501);
        Assert.Contains(after.Reasons, reason => reason.Contains("3 measured runs", StringComparison.Ordinal));
    }

    [Fact]
    public void Plan_SmallOnCpu_RendersInFloat32WithinSeconds()
    {
        var plan = Planner.Plan(PlanRequest.DefaultOf(ModelShapes.Small), SlotState.Cpu(4 * GiB)).Plan!;
        Assert.Equal("cpu", plan.Device);
        Assert.Equal(Precision.Fp32, plan.Precision);
        Assert.Equal(0, plan.BlocksStreamed);
        Assert.Equal(TextEncoderPlacement.Cpu, plan.TextEncoder);
        Assert.InRange(plan.PredictedSeconds, 2, 60);
    }

    [Theory]
    [InlineData("small", 208, 128, 33, 789)]
    [InlineData("small", 416, 256, 9, 948)]
    [InlineData("tiny", 64, 48, 5, 206)]
    public void Plan_OnCpu_PeakIsNearTheMeasuredResidentSet(string id, int width, int height, int frames, double measuredMebibytes)
    {
        var request = PlanRequest.DefaultOf(ModelShapes.Get(id)) with { Width = width, Height = height, Frames = frames };
        var plan = Planner.Plan(request, SlotState.Cpu(8 * GiB)).Plan!;
        Assert.InRange(plan.PredictedPeakBytes / (double)(1 << 20) / measuredMebibytes, 0.9, 1.2);
    }

    [Theory]
    [InlineData("precision", "plan.precision")]
    [InlineData("text_encoder", "plan.text_encoder")]
    [InlineData("blocks_streamed", "plan.blocks_streamed")]
    public void Plan_CardOnlyPinOnCpu_IsRefusedByName(string pin, string field)
    {
        var pins = pin switch
        {
            "precision" => new PlanPins { Precision = Precision.Bf16 },
            "text_encoder" => new PlanPins { TextEncoder = TextEncoderPlacement.Streamed },
            _ => new PlanPins { BlocksStreamed = 1 },
        };
        var result = Planner.Plan(PlanRequest.DefaultOf(ModelShapes.Small) with { Pins = pins }, SlotState.Cpu(4 * GiB));
        Assert.Equal(field, result.Refusal!.Field);
    }

    [Fact]
    public void Plan_MorePinnedBlocksThanTheModelHas_SaysHowMany()
    {
        var result = Planner.Plan(T2v14B() with { Pins = new() { BlocksStreamed = 41 } }, SlotState.Gpu(80));
        Assert.Contains("40 blocks", result.Refusal!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_TwoExperts_KeepsBothOnTheHost()
    {
        var one = Planner.Plan(T2v14B(), SlotState.Gpu(80, calibration: H100)).Plan!;
        var two = Planner.Plan(PlanRequest.DefaultOf(ModelShapes.T2vA14B), SlotState.Gpu(80, calibration: H100)).Plan!;
        Assert.InRange(two.HostBytes - one.HostBytes, 12 * GiB, 15 * GiB);
    }

    [Fact]
    public void Plan_ImageToVideo_HasAStageForThePicture()
    {
        var plan = Planner.Plan(PlanRequest.DefaultOf(ModelShapes.I2v14B480), SlotState.Gpu(24, calibration: H100)).Plan!;
        Assert.Contains("encoding_image", plan.StagePeakBytes.Keys);
        Assert.DoesNotContain("encoding_image", Planner.Plan(T2v14B(), SlotState.Gpu(24, calibration: H100)).Plan!.StagePeakBytes.Keys);
    }

    [Fact]
    public void Plan_Chosen_IsAmongTheAlternatives()
    {
        var result = Planner.Plan(T2v14B(), SlotState.Gpu(12, calibration: H100));
        Assert.Single(PlanTable.Of(result), line => line.StartsWith("chosen", StringComparison.Ordinal));
        Assert.Contains(result.Alternatives, plan => plan.Fits && plan.PredictedPeakBytes == result.Plan!.PredictedPeakBytes);
    }

    [Fact]
    public void Plan_Once_TakesUnderAMillisecond()
    {
        var slot = SlotState.Gpu(24, calibration: H100);
        var best = TimeSpan.MaxValue;
        // The fastest of many, so that a busy machine doesn't decide the outcome
        for (var i = 0; i < 2000; i++)
        {
            var start = TimeProvider.System.GetTimestamp();
            Planner.Plan(T2v14B(), slot);
            var took = TimeProvider.System.GetElapsedTime(start);
            if (took < best)
            {
                best = took;
            }
        }
        Assert.True(best < TimeSpan.FromMilliseconds(1), $"{best.TotalMilliseconds} ms");
    }
}
