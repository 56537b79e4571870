using System.Diagnostics;
using System.Globalization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Units;
using RenderFarm.Contracts.Videos;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Memory;
using RenderFarm.Planning;
using RenderFarm.Planning.Cards;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.Requests;
using RenderFarm.Rendering.Hosting;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Verbs.Figures;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>A whole job of 14B, from prompt to MP4, by the planner's plan for what another process leaves of the card.</summary>
internal static class JobPart
{

    public static void Run480(FigureReport report) => Run(report, (832, 480, 81), steps: 20, left: 8 * Gibibytes.One);

    public static void Run720(FigureReport report) => Run(report, (1280, 720, 81), steps: 6, left: 12 * Gibibytes.One);

    private static void Run(FigureReport report, (int Width, int Height, int Frames) video, int steps, long left)
    {
        using var driver = CardContext.Watch();
        using (zeros(1, device: CUDA))
        {
            CudaDevice.Synchronize();
        }

        MemoryPool.OfDevice().Trim();
        var (free, total) = CudaDevice.Memory;
        // The bench has the card to itself: what is taken is its own context, which counts as free for its own plan
        var context = total - free;
        using var occupant = Occupant.LeaveFree(left - context);
        report.Figure(
            "left of the card, own context included",
            Gibibytes.Of(CudaDevice.Memory.Free + context),
            "GiB",
            Gibibytes.Of(left + (8L << 20))
        );

        var order = Order(
            video,
            steps,
            Plan(
                report,
                video,
                steps,
                new SlotState
                {
                    Kind = SlotKind.Cuda,
                    Card = driver.CardName,
                    TotalBytes = total,
                    FreeBytes = left,
                    Calibration = KnownCards.Find(driver.CardName),
                }
            ),
            ModelShapes.T2v14B
        );
        var meter = new StageMeter(driver.Gauge());
        var started = Stopwatch.GetTimestamp();
        using (var encoder = Encoding.Start(video))
        {
            report.Say(encoder.Description);
            using var pipeline = new VideoPipeline(
                order,
                new Progress(report),
                meter,
                CancellationToken.None,
                new GeneratedParts(order.Shape, seed: 7, CUDA)
            );
            var result = pipeline.Render(encoder);
            encoder.Finish();
            report.Check(
                "every frame arrived",
                result.Frames == video.Frames,
                $"{result.Frames} of {video.Frames}{(result.Warning is null ? "" : $"; {result.Warning}")}"
            );
        }
        Tell(report, order.Plan, meter.Measured(), Stopwatch.GetElapsedTime(started).TotalSeconds);
    }

    private static RenderPlan Plan(FigureReport report, (int Width, int Height, int Frames) video, int steps, SlotState slot)
    {
        var request = new PlanRequest
        {
            Shape = ModelShapes.T2v14B,
            Width = video.Width,
            Height = video.Height,
            Frames = video.Frames,
            Steps = steps,
            GuidanceScale = 5,
            Pins = new PlanPins { GuidanceBatched = false },
        };
        var result = Planner.Plan(request, slot);
        var plan = result.Plan ?? throw new InvalidOperationException(result.Refusal!.Message);
        foreach (var reason in plan.Reasons)
        {
            report.Say(reason);
        }

        report.Say(
            string.Create(
                CultureInfo.InvariantCulture,
                $"plan: {plan.Precision}, {plan.BlocksResident} resident, {plan.BlocksStreamed} streamed through {plan.RingSlots}, FFN "
                    + $"chunk {plan.FfnChunkTokens}, text encoder {plan.TextEncoder}, VAE tile {plan.VaeTile}"
            )
        );
        return plan;
    }

    /// <param name="weightCache">Where prepared weights stay for the next job; null: as the environment says.</param>
    internal static RenderOrder Order(
        (int Width, int Height, int Frames) video,
        int steps,
        RenderPlan plan,
        ModelShape shape,
        string? weightCache = null
    ) =>
        new()
        {
            JobId = "bench",
            Fence = 1,
            Spec = new RenderSpec
            {
                Model = shape.Id,
                Prompt = "a red ball rolls slowly to the right over wet grass in morning light",
                NegativePrompt = "blurry low quality",
                Width = video.Width,
                Height = video.Height,
                Frames = video.Frames,
                Fps = 16,
                Steps = steps,
                GuidanceScale = 5,
                Shift = 5,
                Seed = 1,
            },
            Plan = plan,
            Shape = shape,
            Files = new ModelFiles
            {
                Transformer = [],
                TextEncoder = [],
                Tokenizer = "",
                Vae = [],
            },
            FramePipe = "",
            WorkDirectory = Path.GetTempPath(),
            WeightCache = weightCache ?? BenchPaths.Weights,
        };

    private static void Tell(FigureReport report, RenderPlan plan, Measurements measured, double seconds)
    {
        foreach (var (stage, peak) in measured.StagePeakBytes!)
        {
            report.Figure($"peak, {stage}", Gibibytes.Of(peak), "GiB");
            if (plan.StagePeakBytes.TryGetValue(stage, out var predicted))
            {
                report.Figure($"predicted, {stage}", Gibibytes.Of(predicted), "GiB");
            }
        }
        report.Figure("peak", Gibibytes.Of(measured.PeakBytes!.Value), "GiB");
        report.Figure("peak ÷ predicted", measured.PeakBytes.Value / (double)plan.PredictedPeakBytes, "");
        report.Figure("step", measured.StepSeconds!.Value, "s");
        report.Figure("step ÷ predicted", measured.StepSeconds.Value / plan.PredictedStepSeconds, "");
        report.Figure("loading, weights generated and prepared", measured.LoadSeconds!.Value, "s");
        report.Figure("text", measured.EncodeTextSeconds!.Value, "s");
        report.Figure("denoising", measured.DenoiseSeconds!.Value, "s");
        report.Figure("decoding", measured.DecodeSeconds!.Value, "s");
        report.Figure("whole job", seconds, "s");
    }

    private sealed class Progress(FigureReport report) : IRenderObserver
    {
        private readonly long _started = Stopwatch.GetTimestamp();

        public void StageStarted(RenderStage stage) =>
            report.Say(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(_started).TotalSeconds,6:0.0} s  {stage}"));

        public void Alive() { }

        public void StepDone(int step, int steps, double seconds) =>
            report.Say(string.Create(CultureInfo.InvariantCulture, $"          step {step} of {steps}: {seconds:0.00} s"));

        public void FramesWritten(int frames, int of) { }
    }

    /// <summary>Frames into ffmpeg where the machine has one; elsewhere they are counted and let go.</summary>
    private sealed class Encoding : IFrameSink, IDisposable
    {
        private readonly System.Diagnostics.Process? _encoder;

        private Encoding(System.Diagnostics.Process? encoder, string description) => (_encoder, Description) = (encoder, description);

        public string Description { get; }

        public static Encoding Start((int Width, int Height, int Frames) video)
        {
            var found = (Environment.GetEnvironmentVariable("PATH") ?? "")
                .Split(':')
                .Any(folder => File.Exists(Path.Combine(folder, "ffmpeg")));
            if (!found)
            {
                return new Encoding(null, "no ffmpeg on this machine: raw frames are thrown away");
            }

            var path = Path.Combine(Path.GetTempPath(), "renderfarm-bench.mp4");
            string[] arguments =
            [
                "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
                string.Create(CultureInfo.InvariantCulture, $"{video.Width}x{video.Height}"),
                "-r", "16", "-i", "-", "-pix_fmt", "yuv420p",
                path,
            ];
            return new Encoding(
                System.Diagnostics.Process.Start(new ProcessStartInfo("ffmpeg", arguments) { RedirectStandardInput = true }),
                $"frames go to {path}"
            );
        }

        public void Write(ReadOnlySpan<byte> rgb24) => _encoder?.StandardInput.BaseStream.Write(rgb24);

        /// <summary>After the last frame.</summary>
        public void Finish()
        {
            if (_encoder is null)
            {
                return;
            }

            _encoder.StandardInput.Close();
            _encoder.WaitForExit();
            if (_encoder.ExitCode != 0)
            {
                throw new InvalidOperationException($"ffmpeg ended with {_encoder.ExitCode}");
            }
        }

        public void Dispose() => _encoder?.Dispose();
    }
}
