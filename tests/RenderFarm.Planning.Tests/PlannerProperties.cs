using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;

namespace RenderFarm.Planning.Tests;

/// <summary>What holds for every job on every card.</summary>
[Properties(Arbitrary = [typeof(Arbitraries)], MaxTest = 500)]
public sealed class PlannerProperties
{
    /// <summary>Of plans within this factor the leaner one is taken.</summary>
    private const double NearTie = 1.03 + 1e-9;

    [Property]
    public void Plan_Chosen_StaysWithinFreeMinusReserve(Case @case)
    {
        var result = Planner.Plan(@case.Request, @case.Slot);
        if (result.Plan is not { } plan)
        {
            Assert.NotNull(result.Refusal);
            return;
        }
        Assert.True(plan.PredictedPeakBytes <= @case.Slot.FreeBytes - @case.Slot.ReserveBytes);
        Assert.Equal(plan.PredictedPeakBytes, plan.StagePeakBytes.Values.Max());
        Assert.Equal(@case.Request.Shape.Transformer.Layers, plan.BlocksResident + plan.BlocksStreamed);
        Assert.Equal(plan.BlocksStreamed > 0, plan.RingSlots > 0);
        Assert.NotEmpty(plan.Reasons);
        Assert.DoesNotContain(
            plan.Reasons,
            reason =>
                reason.Split(" it would take ") is [_, var times]
                && times.TrimEnd('.').Split(" instead of ") is [var one, var other]
                && one == other
        );
    }

    [Property]
    public void Plan_MoreMemory_IsNeverSlower(Case @case, PositiveInt extraMebibytes)
    {
        var slot = @case.Slot;
        var larger = slot with
        {
            TotalBytes = slot.TotalBytes + ((long)extraMebibytes.Get << 20),
            FreeBytes = slot.FreeBytes + ((long)extraMebibytes.Get << 20),
        };
        var (small, large) = (Planner.Plan(@case.Request, slot).Plan, Planner.Plan(@case.Request, larger).Plan);
        if (small is null)
        {
            return;
        }

        Assert.NotNull(large);
        Assert.True(
            IsNoSlower(large, small),
            $"{large.PredictedSeconds} s in {large.Precision} with more memory, {small.PredictedSeconds} s in {small.Precision} with less"
        );
    }

    /// <summary>Eight bits are left for more exactness only where that costs no more than they would have had to gain.</summary>
    [Property]
    public void Plan_Balanced_IsNearTheFastestAndInTheFilesPrecisionWhereThatIsNear(Case @case)
    {
        var balanced = Planner.Plan(@case.Request with { Quality = Quality.Balanced }, @case.Slot).Plan;
        var fast = Planner.Plan(@case.Request with { Quality = Quality.Fast }, @case.Slot).Plan;
        var exact = Planner.Plan(@case.Request with { Quality = Quality.Exact }, @case.Slot).Plan;
        Assert.Equal(fast is null, balanced is null);
        if (balanced is null || fast is null)
        {
            return;
        }

        Assert.True(balanced.VelocityError < 0.06);
        Assert.True(balanced.PredictedSeconds <= fast.PredictedSeconds * 1.25 * NearTie);
        if (balanced.Precision == Precision.Bf16)
        {
            Assert.InRange(balanced.PredictedSeconds, exact!.PredictedSeconds / NearTie, exact.PredictedSeconds * NearTie);
        }
        else if (exact is not null)
        {
            Assert.True(exact.PredictedSeconds * NearTie >= balanced.PredictedSeconds * 1.25);
        }
    }

    /// <summary>And where it is leaner than that, it is no more than a near tie slower.</summary>
    [Property]
    public void Plan_Chosen_IsNoLargerThanWhatIsAsFast(Case @case)
    {
        var plan = Planner.Plan(@case.Request, @case.Slot).Plan;
        if (plan is null)
        {
            return;
        }

        // The same plan is found with no more memory than it takes, grains of the search aside
        var needed = plan.PredictedPeakBytes + @case.Slot.ReserveBytes;
        var again = Planner.Plan(@case.Request, @case.Slot with { FreeBytes = Math.Min(@case.Slot.FreeBytes, needed + (16L << 20)) }).Plan!;
        Assert.InRange(again.PredictedPeakBytes, plan.PredictedPeakBytes - (16L << 20), plan.PredictedPeakBytes + (16L << 20));
        Assert.InRange(again.PredictedSeconds, plan.PredictedSeconds / NearTie, plan.PredictedSeconds * NearTie);
    }

    [Property]
    public void Plan_Alternatives_AreOrderedAndMarked(Case @case)
    {
        var result = Planner.Plan(@case.Request, @case.Slot);
        foreach (var (faster, leaner) in result.Alternatives.Zip(result.Alternatives.Skip(1)))
        {
            Assert.True(leaner.PredictedPeakBytes < faster.PredictedPeakBytes);
            Assert.True(IsNoSlower(faster, leaner));
        }
        Assert.All(result.Alternatives, plan => Assert.Equal(plan.PredictedPeakBytes <= result.BudgetBytes, plan.Fits));
    }

    [Property]
    public void Plan_Pins_AreHonouredOrRefused(Case @case, PlanPins pins)
    {
        var result = Planner.Plan(@case.Request with { Pins = pins }, @case.Slot);
        if (result.Plan is not { } plan)
        {
            Assert.NotNull(result.Refusal);
            return;
        }
        if (pins.Precision is { } precision)
        {
            Assert.Equal(precision, plan.Precision);
        }

        if (pins.BlocksStreamed is { } streamed)
        {
            Assert.Equal(streamed, plan.BlocksStreamed);
        }

        if (pins.FfnChunkTokens is { } chunk)
        {
            Assert.Equal(chunk, plan.FfnChunkTokens);
        }

        if (pins.TextEncoder is { } text)
        {
            Assert.Equal(text, plan.TextEncoder);
        }

        if (pins.VaeTile is { } tile)
        {
            Assert.Equal(tile, plan.VaeTile);
        }

        if (pins.GuidanceBatched is { } batched)
        {
            Assert.Equal(batched, plan.GuidanceBatched);
        }
    }

    [Property]
    public void Plan_Free_IsNeverSlowerThanPinned(Case @case, PlanPins pins)
    {
        var pinned = Planner.Plan(@case.Request with { Pins = pins }, @case.Slot).Plan;
        // fp32 is not among a card's own choices, and its VAE is wider
        if (pinned is null || pinned.Precision == Precision.Fp32)
        {
            return;
        }

        var free = Planner.Plan(@case.Request with { Quality = Quality.Fast }, @case.Slot).Plan!;
        Assert.True(free.PredictedSeconds <= pinned.PredictedSeconds * NearTie);
    }

    [Property]
    public void Plan_LorasOrStepCache_NeverNeedLess(Case @case)
    {
        var bare = @case.Request with { Loras = 0, LoraParameters = null, StepCache = false };
        var (with, without) = (Planner.Plan(@case.Request, @case.Slot), Planner.Plan(bare, @case.Slot));
        if (with.Plan is null)
        {
            return;
        }

        Assert.NotNull(without.Plan);
        Assert.True(without.Alternatives[^1].PredictedPeakBytes <= with.Alternatives[^1].PredictedPeakBytes);
        Assert.True(without.Plan.PredictedSeconds <= with.Plan.PredictedSeconds * NearTie);
    }

    /// <summary>Between precisions of one quality a near tie goes to the one that takes less host memory.</summary>
    internal static bool IsNoSlower(RenderPlan faster, RenderPlan slower) =>
        faster.PredictedSeconds <= slower.PredictedSeconds * (faster.Precision == slower.Precision ? 1 : NearTie);

    [Property]
    public void VramClass_CardOfTheClass_HasAPlan(Case @case)
    {
        if (VramClass.Of(@case.Request) is not { } needed || needed == 0)
        {
            return;
        }

        Assert.NotNull(Planner.Plan(@case.Request, VramClass.SmallestCard(needed)).Plan);
    }

    public sealed record Case(PlanRequest Request, SlotState Slot)
    {
        public override string ToString() =>
            $"{Request.Shape.Id} {Request.Width}x{Request.Height}x{Request.Frames}, guidance {Request.GuidanceScale}, {Request.Loras} "
            + $"LoRAs of {Request.LoraParameters}, step cache {Request.StepCache}, {Request.Quality}, "
            + $"{Names.Gib(Slot.FreeBytes)} free of {Names.Gib(Slot.TotalBytes)}, fp8 {Slot.Calibration?.Fp8Flops:0.#e0}";
    }

    public static class Arbitraries
    {
        public static Arbitrary<Case> Cases() =>
            Arb.From(
                from shape in Gen.Elements(ModelShapes.All.ToArray())
                from across in Gen.Choose(1, shape.Defaults.Width / shape.Defaults.SizeMultiple)
                from down in Gen.Choose(1, shape.Defaults.Height / shape.Defaults.SizeMultiple)
                from frames in Gen.Choose(0, 40)
                from steps in Gen.Choose(1, 60)
                from guidance in Gen.Elements(1.0, 5.0)
                from card in Gen.Elements("NVIDIA H100 80GB HBM3", "NVIDIA GeForce RTX 3060", "NVIDIA GeForce RTX 4090", "")
                from bus in Gen.Choose(2, 50)
                from total in Gen.Choose(3 * 1024, 96 * 1024)
                from used in Gen.Choose(0, 2 * 1024)
                from loras in Gen.Elements(0, 0, 1, 3)
                from rank in Gen.Elements<int?>(null, 4, 32, 512)
                from cached in Gen.Elements(false, false, true)
                from quality in Gen.Elements(Quality.Exact, Quality.Fast)
                select new Case(
                    new PlanRequest
                    {
                        Shape = shape,
                        Width = across * shape.Defaults.SizeMultiple,
                        Height = down * shape.Defaults.SizeMultiple,
                        Frames = (4 * frames) + 1,
                        Steps = steps,
                        GuidanceScale = guidance,
                        HasImage = shape.Transformer.ImageBranch != ImageBranch.None,
                        Loras = loras,
                        LoraParameters = rank is { } of ? loras * ParameterCounts.Lora(shape.Transformer, of) : null,
                        StepCache = cached,
                        Quality = quality,
                    },
                    SlotState.Gpu(
                        total / 1024.0,
                        card,
                        (KnownCards.Find(card) ?? KnownCards.Find("H100")!) with
                        {
                            HostToDeviceBytesPerSecond = bus * 1e9,
                        }
                    ) with
                    { FreeBytes = (long)(total - used) << 20 }
                )
            );

        public static Arbitrary<PlanPins> Pins() =>
            Arb.From(
                from precision in Gen.Elements<Precision?>(null, null, Precision.Fp32, Precision.Bf16, Precision.Fp8Weights, Precision.Fp8)
                from streamed in Gen.Elements<int?>(null, null, 0, 1, 2, 17, 30, 40)
                from chunk in Gen.Elements<int?>(null, null, 0, 256, 4096, 100_000)
                from text in Gen.Elements<TextEncoderPlacement?>(
                    null,
                    TextEncoderPlacement.Cpu,
                    TextEncoderPlacement.Streamed,
                    TextEncoderPlacement.Resident
                )
                from tile in Gen.Elements<int?>(null, null, 0, 16, 40, 1000)
                from batched in Gen.Elements<bool?>(null, false, true)
                select new PlanPins
                {
                    Precision = precision,
                    BlocksStreamed = streamed,
                    FfnChunkTokens = chunk,
                    TextEncoder = text,
                    VaeTile = tile,
                    GuidanceBatched = batched,
                }
            );
    }
}
