using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Nvml;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Renderer.Bench;

/// <summary>
/// <c>bench renderers --jobs N [--device cpu|cuda] [--report FILE]</c>: a fresh renderer process for each of many small jobs, ordered as a
/// worker orders it. What the fresh process costs a job, what a standby would save of it, and what is left of the card after each.
/// </summary>
internal static class FreshProcesses
{
    private const double AllowedOverheadSeconds = 0.5;
    private const double AllowedMebibytes = 64;
    private static readonly TimeSpan MemoryPatience = TimeSpan.FromSeconds(5);

    public const string Usage = "bench renderers --jobs N [--device cpu|cuda] [--report FILE]";

    public static int Run(string[] args)
    {
        var (jobs, device, report) = (50, "cpu", (string?)null);
        for (var i = 0; i + 1 < args.Length; i += 2)
        {
            if (args[i] == "--jobs" && int.TryParse(args[i + 1], CultureInfo.InvariantCulture, out var number) && number > 0)
            {
                jobs = number;
            }
            else if (args[i] == "--device" && args[i + 1] is "cpu" or "cuda")
            {
                device = args[i + 1];
            }
            else if (args[i] == "--report")
            {
                report = Path.GetFullPath(args[i + 1]);
            }
            else
            {
                return ExitCodes.Usage(Usage);
            }
        }
        if (args.Length % 2 != 0)
        {
            return ExitCodes.Usage(Usage);
        }

        using var cards = device == "cuda" ? NvmlLibrary.TryOpen(out _) : null;
        if (device == "cuda" && cards is null)
        {
            return ExitCodes.Usage("bench renderers --device cuda needs a card and its driver");
        }

        var folder = Directory.CreateTempSubdirectory("farm-renderers-").FullName;
        try
        {
            return Measure(jobs, Order(folder, device), cards, report);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int Measure(int jobs, RenderOrder order, NvmlLibrary? cards, string? report)
    {
        var before = Segments();
        var free = cards is null ? 0 : Free(cards);
        var lowest = free;
        var (starts, firstSteps, works, ends) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var job = 0; job < jobs; job++)
        {
            var one = Render(order with { Spec = order.Spec with { Seed = job } });
            if (one.Fault is { } fault)
            {
                Console.Out.WriteLine($"job {job + 1}: {fault}");
                return ExitCodes.Failed;
            }
            starts.Add(one.Ready);
            firstSteps.Add(one.FirstStep);
            works.Add(one.Work);
            ends.Add(one.Exit);
            if (cards is not null)
            {
                lowest = Math.Min(lowest, FreeAgain(cards, free));
            }
        }
        var overhead = starts.Average() + ends.Average();
        var leaks = Segments().Except(before).ToList();
        Say($"{jobs} jobs, a process each, on {order.Plan.Device}");
        Say($"start to ready      median {Median(starts):0.000} s, worst {starts.Max():0.000} s (a standby has it behind it)");
        Say($"order to first step median {Median(firstSteps):0.000} s, worst {firstSteps.Max():0.000} s");
        Say($"order to last frame median {Median(works):0.000} s");
        Say($"last report to gone median {Median(ends):0.000} s, worst {ends.Max():0.000} s");
        Say(
            $"overhead of a fresh process: {overhead:0.000} s a job (allowed: {AllowedOverheadSeconds}), "
                + $"{100 * overhead / (overhead + 10):0.0} % of a job of 10 s"
        );
        if (cards is not null)
        {
            Say($"free on the card: {free >> 20} MiB before, {lowest >> 20} at the lowest after a job (allowed: {AllowedMebibytes} less)");
        }

        if (leaks.Count > 0)
        {
            Say($"left in shared memory: {string.Join(", ", leaks)}");
        }

        var sound = overhead <= AllowedOverheadSeconds && leaks.Count == 0 && free - lowest <= (long)AllowedMebibytes << 20;
        if (report is not null)
        {
            File.WriteAllText(
                report,
                new JsonObject
                {
                    ["benchmark"] = "renderers",
                    ["machine"] = $"{Environment.ProcessorCount} cores, {order.Plan.Device}, tiny model",
                    ["jobs"] = jobs,
                    ["start_to_ready_median_s"] = Math.Round(Median(starts), 3),
                    ["order_to_first_step_median_s"] = Math.Round(Median(firstSteps), 3),
                    ["order_to_last_frame_median_s"] = Math.Round(Median(works), 3),
                    ["last_report_to_gone_median_s"] = Math.Round(Median(ends), 3),
                    ["overhead_s_a_job"] = Math.Round(overhead, 3),
                    ["overhead_percent_of_a_job_of_10_s"] = Math.Round(100 * overhead / (overhead + 10), 2),
                    ["allowed_overhead_s"] = AllowedOverheadSeconds,
                    ["left_in_shared_memory"] = leaks.Count,
                    ["sound"] = sound,
                }.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + Environment.NewLine
            );
        }

        return sound ? ExitCodes.Done : ExitCodes.Failed;
    }

    /// <summary>Seconds of one job, by this side's clock.</summary>
    private sealed record Seconds(double Ready, double FirstStep, double Work, double Exit, string? Fault);

    private static Seconds Render(RenderOrder order)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, ["render", "--device", order.Plan.Device])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        var clock = Stopwatch.StartNew();
        using var renderer = System.Diagnostics.Process.Start(start)!;
        double ready = 0,
            first = 0,
            ordered = 0,
            finished = 0;
        string? fault = null;
        while (renderer.StandardOutput.ReadLine() is { } line)
        {
            var now = clock.Elapsed.TotalSeconds;
            switch (JsonSerializer.Deserialize(line, ContractsJson.Default.RendererReport))
            {
                case RendererReport.Ready:
                    ready = now;
                    renderer.StandardInput.WriteLine(JsonSerializer.Serialize(order, ContractsJson.Default.RenderOrder));
                    renderer.StandardInput.Flush();
                    ordered = clock.Elapsed.TotalSeconds;
                    break;
                case RendererReport.StageStarted { Stage: RenderStage.Denoising }:
                    first = now - ordered;
                    break;
                case RendererReport.Finished:
                    finished = now;
                    break;
                case RendererReport.Failed failed:
                    fault = $"{failed.Reason}: {failed.Message}";
                    break;
            }
        }
        renderer.WaitForExit();
        if (finished == 0)
        {
            fault ??= $"ended with code {renderer.ExitCode} and no result";
        }

        return new Seconds(ready, first, finished - ordered, clock.Elapsed.TotalSeconds - finished, fault);
    }

    private static RenderOrder Order(string folder, string device)
    {
        var shape = ModelShapes.Tiny;
        var files = RandomModel.Write(shape, folder, seed: 1, _ => { }).Files;
        var onCard = device == "cuda";
        return new RenderOrder
        {
            JobId = "bench",
            Fence = 1,
            Spec = new RenderSpec
            {
                Model = shape.Id,
                Prompt = "a red ball",
                Width = 64,
                Height = 48,
                Frames = 5,
                Fps = 8,
                Steps = 2,
                GuidanceScale = 3,
                Shift = 3,
                Seed = 0,
            },
            Plan = new RenderPlan
            {
                Device = device,
                Precision = onCard ? Precision.Bf16 : Precision.Fp32,
                BlocksResident = onCard ? 0 : shape.Transformer.Layers,
                BlocksStreamed = onCard ? shape.Transformer.Layers : 0,
                RingSlots = onCard ? 2 : 0,
                TextEncoder = onCard ? TextEncoderPlacement.Streamed : TextEncoderPlacement.Cpu,
                PredictedPeakBytes = 1,
                Fits = true,
            },
            Shape = shape,
            Files = files.In(folder),
            FramePipe = "/dev/null",
            WorkDirectory = folder,
            WeightCache = onCard ? Path.Combine(folder, "cache", shape.Id) : null,
        };
    }

    private static long Free(NvmlLibrary cards) => cards.Cards.Sum(card => cards.MemoryOf(card).FreeBytes);

    /// <summary>Once it is back, or what there is after a while.</summary>
    private static long FreeAgain(NvmlLibrary cards, long wanted)
    {
        using var pause = new ManualResetEventSlim();
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var free = Free(cards);
            if (wanted - free <= (long)AllowedMebibytes << 20 || clock.Elapsed > MemoryPatience)
            {
                return free;
            }

            pause.Wait(50);
        }
    }

    private static IReadOnlyList<string> Segments() =>
        Directory.Exists("/dev/shm") ? Directory.GetFileSystemEntries("/dev/shm", "renderfarm-*") : [];

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static void Say(string line) => Console.Out.WriteLine(line);
}
