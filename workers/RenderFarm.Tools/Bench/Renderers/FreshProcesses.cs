using System.Globalization;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Nvml;
using RenderFarm.Verbs.Figures;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Tools.Bench.Renderers;

/// <summary>
/// <c>bench renderers</c>: a fresh renderer process for each of many small jobs, ordered as a worker orders it. What the fresh
/// process costs a job, what a standby would save of it, and what is left of the card after each.
/// </summary>
internal static class FreshProcesses
{
    private const double AllowedOverheadSeconds = 0.5;
    private const double AllowedMebibytes = 64;
    private static readonly TimeSpan MemoryPatience = TimeSpan.FromSeconds(5);

    public static int Run(int jobs, string device, FigureReport report)
    {
        using var cards = device == "cuda" ? NvmlLibrary.TryOpen(out _) : null;
        if (device == "cuda" && cards is null)
        {
            throw VerbException.Wrong("--device is 'cuda': there is no card, or no driver");
        }
        var folder = Directory.CreateTempSubdirectory("farm-renderers-").FullName;
        try
        {
            return Measure(jobs, SmallOrder.In(folder, device), cards, report);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int Measure(int jobs, RenderOrder order, NvmlLibrary? cards, FigureReport report)
    {
        var before = Segments();
        var free = cards is null ? 0 : Free(cards);
        var lowest = free;
        List<RendererRun> runs = [];
        for (var job = 0; job < jobs; job++)
        {
            var run = RendererRun.Of(order with { Spec = order.Spec with { Seed = job } });
            if (run.Fault is { } fault)
            {
                throw new VerbException($"job {job + 1}: {fault}");
            }
            runs.Add(run);
            if (cards is not null)
            {
                lowest = Math.Min(lowest, FreeAgain(cards, free));
            }
        }
        var overhead = runs.Average(run => run.Ready + run.Exit);
        var leaks = Segments().Except(before).ToList();
        report.Say($"{jobs} jobs of the tiny model, a process each, on {order.Plan.Device}");
        Tell(report, "start to ready (a standby has it behind it)", runs, run => run.Ready);
        Tell(report, "order to first step", runs, run => run.FirstStep);
        Tell(report, "order to last frame", runs, run => run.Work);
        Tell(report, "last report to gone", runs, run => run.Exit);
        report.Figure("overhead of a fresh process", overhead, "s a job", AllowedOverheadSeconds);
        report.Figure("overhead, of a job of 10 s", 100 * overhead / (overhead + 10), "%");
        if (cards is not null)
        {
            report.Figure("missing on the card after a job", (free - lowest) / (double)(1 << 20), "MiB", AllowedMebibytes);
        }
        report.Check("shared memory", leaks.Count == 0, leaks.Count == 0 ? "no new segment" : string.Join(", ", leaks));
        report.Details["jobs"] = jobs;
        report.Details["device"] = order.Plan.Device;
        return report.Finish();
    }

    private static void Tell(FigureReport report, string name, IReadOnlyList<RendererRun> runs, Func<RendererRun, double> seconds)
    {
        report.Figure($"{name}, median", runs.Select(seconds).Order().ElementAt(runs.Count / 2), "s");
        report.Details[string.Create(CultureInfo.InvariantCulture, $"{name}, worst (s)")] = Math.Round(runs.Max(seconds), 3);
    }

    private static long Free(NvmlLibrary cards) => cards.Cards.Sum(card => cards.MemoryOf(card).FreeBytes);

    /// <summary>Once it is back, or what there is after a while.</summary>
    private static long FreeAgain(NvmlLibrary cards, long wanted)
    {
        using var pause = new ManualResetEventSlim();
        var clock = System.Diagnostics.Stopwatch.StartNew();
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
}
