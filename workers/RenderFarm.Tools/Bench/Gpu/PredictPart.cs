using System.Diagnostics;
using System.Globalization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Units;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Memory;
using RenderFarm.Planning;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>
/// What the planner says against what happens: whole jobs of two guided steps, over models, sizes, lengths, precisions and
/// memory left. The card is calibrated first; memory beyond what is left is really held.
/// </summary>
internal static class PredictPart
{
    private const double PeakOff = 0.05;
    private const double PeakBelow = 0.02;
    private const double TimeOff = 0.10;
    private static readonly TimeSpan Standstill = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private static readonly ModelShape Large = ModelShapes.T2v14B;
    private static readonly ModelShape Small = ModelShapes.T2v1Point3B;

    private static readonly Case[] Cases =
    [
        new(Large, 480, 272, 17, Precision.Fp8, 6),
        new(Large, 480, 272, 81, Precision.Fp8, 8),
        new(Large, 832, 480, 17, Precision.Fp8, 8),
        new(Large, 832, 480, 49, Precision.Fp8, 8),
        new(Large, 832, 480, 81, Precision.Fp8, 8),
        new(Large, 832, 480, 81, Precision.Fp8, 24),
        new(Large, 1280, 720, 17, Precision.Fp8, 12),
        new(Large, 1280, 720, 33, Precision.Fp8, 24),
        new(Large, 640, 480, 33, Precision.Fp8, 80),
        new(Large, 480, 272, 49, Precision.Fp8Weights, 8),
        new(Large, 832, 480, 17, Precision.Fp8Weights, 12),
        new(Large, 832, 480, 33, Precision.Fp8Weights, 16),
        new(Large, 640, 480, 49, Precision.Fp8Weights, 24),
        new(Large, 480, 272, 17, Precision.Bf16, 8),
        new(Large, 832, 480, 33, Precision.Bf16, 12),
        new(Large, 832, 480, 17, Precision.Bf16, 24),
        new(Large, 832, 480, 49, Precision.Bf16, 48),
        new(Large, 480, 272, 81, Precision.Bf16, 80),
        new(Small, 480, 272, 33, Precision.Bf16, 6),
        new(Small, 832, 480, 81, Precision.Bf16, 6),
        new(Small, 832, 480, 81, Precision.Bf16, 12),
        new(Small, 832, 480, 49, Precision.Fp8, 6),
        new(Small, 832, 480, 81, Precision.Fp8, 8),
        new(Small, 1280, 720, 33, Precision.Fp8Weights, 12),
        new(Small, 1280, 720, 49, Precision.Bf16, 24),
        new(Small, 480, 832, 17, Precision.Fp8Weights, 6),
    ];

    private sealed record Case(ModelShape Shape, int Width, int Height, int Frames, Precision Precision, int LeftGiB)
    {
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{Shape.Id} {Width}x{Height}x{Frames} {Precision} in {LeftGiB} GiB");
    }

    /// <param name="wanted">The first case, counted from 1 in the order they run, and how many.</param>
    public static void Run(FigureReport report, (int From, int? Count) wanted) => Run(report, Cases, wanted);

    /// <summary>Those in fp8 alone: the ones that attend in eight bits where the card has it.</summary>
    public static void RunFloat8(FigureReport report, (int From, int? Count) wanted) =>
        Run(report, [.. Cases.Where(one => one.Precision == Precision.Fp8)], wanted);

    private static void Run(FigureReport report, IReadOnlyList<Case> all, (int From, int? Count) wanted)
    {
        // Cases of the same weights follow each other: these are prepared once, and one precision of a model at a time is kept
        var cases = all.OrderBy(one => one.Precision == Precision.Bf16)
            .ThenBy(one => one.Shape.Id, StringComparer.Ordinal)
            .ThenBy(one => one.Precision)
            .Skip(wanted.From - 1)
            .Take(wanted.Count ?? int.MaxValue)
            .ToList();
        if (cases.Count == 0)
        {
            throw VerbException.Wrong($"--from is {wanted.From}: there are {all.Count} cases");
        }

        using var weights = new KeptWeights();
        using var driver = CardContext.Watch();
        using (zeros(1, device: CUDA))
        {
            CudaDevice.Synchronize();
        }

        var calibration = RendererProgram.Calibrate();
        AwaitStandstill(); // What the calibration held would count for this process
        report.Figure("calibrated fp8 products", calibration.Fp8Flops.GetValueOrDefault() / 1e12, "TFLOP/s");
        report.Figure("calibrated bf16 products", calibration.Bf16Flops!.Value / 1e12, "TFLOP/s");
        report.Figure("calibrated attention", calibration.AttentionFlops!.Value / 1e12, "TFLOP/s");
        report.Figure("calibrated eight-bit attention", calibration.EightBitAttentionFlops.GetValueOrDefault() / 1e12, "TFLOP/s");
        report.Figure("calibrated copies", calibration.HostToDeviceBytesPerSecond!.Value / 1e9, "GB/s");
        report.Figure("calibrated memory", calibration.MemoryBytesPerSecond!.Value / 1e9, "GB/s");

        var (peaks, times) = (new List<double>(), new List<double>());
        var outOfMemory = 0;
        foreach (var one in cases)
        {
            try
            {
                var (peak, time) = Measure(report, one, driver, calibration, weights.For(one.Shape, one.Precision));
                peaks.Add(peak);
                times.Add(time);
            }
            catch (Exception e) when (IsOutOfMemory(e))
            {
                outOfMemory++;
                report.Say($"{one}: {e.Message}");
            }
        }
        report.Figure("combinations", peaks.Count, "");
        report.Figure("out of memory", outOfMemory, "", 0);
        report.Check("every case was measured", peaks.Count == cases.Count, $"{peaks.Count} of {cases.Count}, from {wanted.From}");
        if (peaks.Count == 0)
        {
            return;
        }

        report.Figure("peak, furthest above prediction", peaks.Max() - 1, "", PeakBelow);
        report.Figure("peak, furthest below prediction", 1 - peaks.Min(), "", PeakOff);
        report.Figure("step time, furthest off", times.Max(time => Math.Abs(time - 1)), "", TimeOff);
    }

    /// <summary>Until the card's free memory has not changed for a second.</summary>
    private static void AwaitStandstill()
    {
        using var pause = new ManualResetEventSlim();
        var (free, since) = (CudaDevice.Memory.Free, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(since) < Standstill)
        {
            pause.Wait(LookEvery);
            if (CudaDevice.Memory.Free is var now && now != free)
            {
                (free, since) = (now, Stopwatch.GetTimestamp());
            }
        }
    }

    /// <summary>Measured ÷ predicted: peak and step time.</summary>
    /// <param name="weights">Where prepared weights lie.</param>
    private static (double Peak, double Time) Measure(
        FigureReport report,
        Case one,
        CardContext driver,
        CardCalibration calibration,
        string weights
    )
    {
        var pool = MemoryPool.OfDevice();
        pool.Trim();
        var (free, total) = CudaDevice.Memory;
        // By the driver's list where it tells: another process may just be giving back what it held
        var context = (driver.OwnBytes ?? total - free) - pool.Reserved;
        var left = Math.Min(total, one.LeftGiB * Gibibytes.One);
        var request = new PlanRequest
        {
            Shape = one.Shape,
            Width = one.Width,
            Height = one.Height,
            Frames = one.Frames,
            Steps = 2,
            GuidanceScale = 5,
            Pins = new PlanPins { Precision = one.Precision },
        };
        var result = Planner.Plan(
            request,
            new SlotState
            {
                Kind = SlotKind.Cuda,
                Card = driver.CardName,
                TotalBytes = total,
                FreeBytes = left,
                Calibration = calibration,
            }
        );
        var plan = result.Plan ?? throw new InvalidOperationException($"{one}: {result.Refusal!.Message}");
        // Another process, as on any card that is shared: what this one holds is then its own
        using var neighbour = Occupant.LeaveFree(left - context);
        var meter = new StageMeter(driver.Gauge());
        var steps = new Steps();
        var order = JobPart.Order((one.Width, one.Height, one.Frames), request.Steps, plan, one.Shape, weights);
        // Prompts of its own: those of the case before would not be encoded again
        var (prompt, negative) = ($"{order.Spec.Prompt}, {one}", $"{order.Spec.NegativePrompt}, {one}");
        using (
            var pipeline = new VideoPipeline(
                order with
                {
                    Spec = order.Spec with { Prompt = prompt, NegativePrompt = negative },
                },
                steps,
                meter,
                CancellationToken.None,
                new GeneratedParts(one.Shape, seed: 7, CUDA)
            )
        )
        {
            try
            {
                pipeline.Render(new Nowhere());
            }
            catch (Exception e) when (IsOutOfMemory(e))
            {
                report.Say($"    ended with {Stages(meter.Measured(), plan)}; context {Gibibytes.Of(context):0.000}");
                throw;
            }
        }

        var measured = meter.Measured();
        var peak = measured.PeakBytes!.Value / (double)plan.PredictedPeakBytes;
        var time = steps.Least / plan.PredictedStepSeconds;
        report.Figure($"{one}, peak ÷ predicted", peak, "");
        report.Figure($"{one}, step ÷ predicted", time, "");
        var stages = Stages(measured, plan);
        report.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"    {Word.Of(plan.Attention)} attention, {plan.BlocksResident} resident, {plan.BlocksStreamed} streamed, "
                    + $"{plan.RingSlots} slots, chunk {plan.FfnChunkTokens}, "
                    + $"batched {plan.GuidanceBatched}, text {plan.TextEncoder}, tile {plan.VaeTile}; "
                    + $"context {Gibibytes.Of(context):0.000}; GiB: {stages}, "
                    + $"loading {Gibibytes.Of(measured.StagePeakBytes!.GetValueOrDefault("loading")):0.000}; step {steps.Least:0.000} s "
                    + $"of {plan.PredictedStepSeconds:0.000}, decode {measured.DecodeSeconds:0.00} s"
            )
        );
        return (peak, time);
    }

    private static bool IsOutOfMemory(Exception e) => e.Message.Contains("out of memory", StringComparison.OrdinalIgnoreCase);

    /// <summary>Peaks in GiB, measured of planned.</summary>
    private static string Stages(Measurements measured, RenderPlan plan) =>
        string.Join(
            ", ",
            plan.StagePeakBytes.Select(stage =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{stage.Key} {Gibibytes.Of(measured.StagePeakBytes!.GetValueOrDefault(stage.Key)):0.000} "
                        + $"of {Gibibytes.Of(stage.Value):0.000}"
                )
            )
        );

    /// <summary>The first step of a render also chooses cuDNN's plans; the least is a step like all that follow.</summary>
    private sealed class Steps : IRenderObserver
    {
        public double Least { get; private set; } = double.PositiveInfinity;

        public void StageStarted(RenderStage stage) { }

        public void Alive() { }

        public void StepDone(int step, int steps, double seconds) => Least = Math.Min(Least, seconds);

        public void FramesWritten(int frames, int of) { }
    }

    private sealed class Nowhere : IFrameSink
    {
        public void Write(ReadOnlySpan<byte> rgb24) { }
    }
}
