using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Tests;

/// <summary>What runs beside the DiT, counted from shapes. That the engine allocates the same is a test of its own.</summary>
public sealed class LorasAndStepCachesTests
{
    private const long GiB = 1L << 30;
    private static readonly SlotState Card = SlotState.Gpu(80, calibration: KnownCards.Find("H100"));
    private static readonly PlanRequest Job = PlanRequest.DefaultOf(ModelShapes.T2v14B) with { Width = 832, Height = 480, Frames = 81 };

    [Fact]
    public void Lora_EveryProductOfA14BBlock_IsRankTimesInAndOut()
    {
        // Eight projections of 5120 to 5120, and two between 5120 and 13824, in forty blocks
        const long Expected = 40 * 64 * ((8 * (5120L + 5120)) + (2 * (5120L + 13824)));
        Assert.Equal(Expected, ParameterCounts.Lora(ModelShapes.T2v14B.Transformer, 64));
        // k_img and v_img
        Assert.Equal(40 * 64 * 2 * (5120L + 5120), ParameterCounts.Lora(ModelShapes.I2v14B480.Transformer, 64) - Expected);
    }

    [Fact]
    public void Plan_LorasBesideStreamedBlocks_LieOnTheCardWhole()
    {
        var streamed = Job with
        {
            Pins = new()
            {
                BlocksStreamed = 40,
                Precision = Precision.Fp8,
                FfnChunkTokens = 4096,
            },
        };
        var (without, with) = (Plan(streamed), Plan(streamed with { Loras = 2 }));

        Assert.Equal(2 * 2 * ParameterCounts.Lora(Job.Shape.Transformer, ParameterCounts.TypicalLoraRank), with.LoraBytes);
        // Chunks keep the hidden layer small
        Assert.Equal(with.LoraBytes, with.StagePeakBytes["denoising"] - without.StagePeakBytes["denoising"], 1.0);
        Assert.InRange(with.PredictedStepSeconds / without.PredictedStepSeconds, 1.01, 1.15);
        Assert.Contains(with.Reasons, reason => reason.StartsWith("2 LoRAs beside the streamed blocks", StringComparison.Ordinal));
        Assert.NotEqual(without.Kind, with.Kind);
    }

    [Fact]
    public void Plan_FileIsThere_ItsOwnSizeCounts()
    {
        var request = Job with
        {
            Loras = 1,
            LoraParameters = 1000,
            Pins = new() { BlocksStreamed = 40 },
        };
        Assert.Equal(2000, Plan(request).LoraBytes);
    }

    [Fact]
    public void Plan_WholeFeedForwardBesideALora_CountsItsWideResult()
    {
        var whole = Job with
        {
            Pins = new()
            {
                BlocksStreamed = 40,
                Precision = Precision.Fp8,
                FfnChunkTokens = 0,
            },
        };
        var (without, with) = (Plan(whole), Plan(whole with { Loras = 1 }));
        var hidden = 32_760 * 13_824L * 2;
        Assert.True(with.StagePeakBytes["denoising"] - without.StagePeakBytes["denoising"] - with.LoraBytes > hidden / 2);
    }

    [Fact]
    public void Plan_LorasWithEveryBlockResident_AreMergedAndTakeNothing()
    {
        var resident = Job with { Pins = new() { BlocksStreamed = 0 } };
        var (without, with) = (Plan(resident), Plan(resident with { Loras = 3 }));
        Assert.Equal(
            (0, without.PredictedPeakBytes, without.PredictedStepSeconds),
            (with.LoraBytes, with.PredictedPeakBytes, with.PredictedStepSeconds)
        );
        Assert.Contains(with.Reasons, reason => reason == "3 LoRAs merged into the weights.");
    }

    [Theory]
    [InlineData(5.0, 2)]
    [InlineData(1.0, 1)]
    public void Plan_StepCache_KeepsTheTokensOfEachBranch(double guidance, int branches)
    {
        var request = Job with
        {
            GuidanceScale = guidance,
            Pins = new() { BlocksStreamed = 0 },
        };
        var (without, with) = (Plan(request), Plan(request with { StepCache = true }));
        var tokens = 32_760 * 5120L;

        Assert.Equal(branches * tokens * 2, with.StepCacheBytes);
        // And the tokens before the blocks
        Assert.Equal(with.StepCacheBytes + (tokens * 4), with.StagePeakBytes["denoising"] - without.StagePeakBytes["denoising"], 1.0);
    }

    [Fact]
    public void Plan_StepCache_RunsBranchesApart()
    {
        var oneFrame = Job with
        {
            Frames = 1,
            Pins = new() { BlocksStreamed = 40 },
        };
        var slow = Card with { Calibration = KnownCards.Find("H100")! with { HostToDeviceBytesPerSecond = 12e9 } };
        Assert.True(Planner.Plan(oneFrame, slow).Plan!.GuidanceBatched);
        Assert.False(Planner.Plan(oneFrame with { StepCache = true }, slow).Plan!.GuidanceBatched);
        var refusal = Planner
            .Plan(
                Job with
                {
                    StepCache = true,
                    Pins = new() { GuidanceBatched = true },
                },
                Card
            )
            .Refusal!;
        Assert.Equal("plan.guidance_batched", refusal.Field);
        Assert.Contains("step cache", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_JobThatJustFits_StreamsMoreWithLorasAndACache()
    {
        // One frame computes for less time than blocks take to arrive, so that as many stay as fit
        var (slot, job) = (SlotState.Gpu(12, calibration: KnownCards.Find("H100")), Job with { Frames = 1 });
        var (bare, laden) = (Planner.Plan(job, slot).Plan!, Planner.Plan(job with { Loras = 2, StepCache = true }, slot).Plan!);
        Assert.True(laden.BlocksStreamed > bare.BlocksStreamed);
        Assert.True(laden.PredictedPeakBytes <= 12 * GiB);
    }

    [Fact]
    public void Plan_Float32OnACard_StreamsNeitherBlocksNorTextEncoder()
    {
        var exact = PlanRequest.DefaultOf(ModelShapes.T2v1Point3B) with { Pins = new() { Precision = Precision.Fp32 } };
        foreach (var gib in new[] { 24, 48, 80 })
        {
            var result = Planner.Plan(exact, SlotState.Gpu(gib));
            Assert.All(
                result.Alternatives,
                plan => Assert.Equal((0, false), (plan.BlocksStreamed, plan.TextEncoder == TextEncoderPlacement.Streamed))
            );
        }
        Assert.Equal(
            "plan.blocks_streamed",
            Planner.Plan(exact with { Pins = exact.Pins with { BlocksStreamed = 3 } }, Card).Refusal!.Field
        );
        Assert.Equal(
            "plan.text_encoder",
            Planner.Plan(exact with { Pins = exact.Pins with { TextEncoder = TextEncoderPlacement.Streamed } }, Card).Refusal!.Field
        );
    }

    private static RenderPlan Plan(PlanRequest request) => Planner.Plan(request, Card).Plan!;
}
