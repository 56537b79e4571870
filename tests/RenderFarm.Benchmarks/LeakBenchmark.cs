using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RenderFarm.Nvml;
using RenderFarm.Testing.Farms;
using RenderFarm.Verbs.Figures;

namespace RenderFarm.Benchmarks;

/// <summary>
/// Many jobs one after the other through one real worker, a fresh renderer process each, and a ledger of everything that a
/// job could leave behind: memory and descriptors of the worker, processes, shared memory, scratch, slots, device memory.
/// </summary>
internal static class LeakBenchmark
{
    private const double AllowedMebibytes = 5;
    private const double AllowedDeviceMebibytes = 64;
    private const int Ahead = 3;
    private static readonly TimeSpan JobPatience = TimeSpan.FromMinutes(5);

    public static async Task<int> RunAsync(LeakOptions options, FigureReport report)
    {
        using var cards = options.Slots == "cpu" ? null : NvmlLibrary.TryOpen(out _);
        var before = SharedMemory();
        var freeBefore = cards?.Cards.Sum(card => cards.MemoryOf(card).FreeBytes) ?? 0;
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup { More = options.Settings() }, workers: 0);
        var worker = await farm.StartWorkerAsync("worker-1");
        var samples = new List<Sample>();
        var failed = new List<string>();
        var queue = new Queue<string>();
        var clock = Stopwatch.StartNew();
        double rendering = 0;
        var lowestFree = double.MaxValue;
        for (var job = 1; job <= options.Jobs; job++)
        {
            while (queue.Count < Ahead && job + queue.Count <= options.Jobs)
            {
                queue.Enqueue((await farm.SubmitAsync(options.Request(job + queue.Count))).GetProperty("id").GetString()!);
            }

            var video = await farm.FinishedAsync(queue.Dequeue(), JobPatience);
            if (video.GetProperty("status").GetString() != "completed")
            {
                failed.Add($"{video.GetProperty("id")}: {video.GetProperty("error")}");
            }
            else
            {
                rendering += RenderSeconds(
                    (await farm.AttemptsAsync(video.GetProperty("id").GetString()!))[^1].GetProperty("measurements")
                );
            }

            samples.Add(Sample.Of(job, worker.Id));
            if (cards is not null && queue.Count == 0)
            {
                lowestFree = Math.Min(lowestFree, await FreeAgainAsync(cards, freeBefore));
            }

            if (job % Math.Max(1, options.Jobs / 10) == 0)
            {
                Console.Error.WriteLine($"{job} of {options.Jobs}: {samples[^1]}");
            }
        }
        var wall = clock.Elapsed.TotalSeconds;
        await farm.EventuallyAsync(
            () => Task.FromResult(worker.Children("ffmpeg").Count == 0),
            TimeSpan.FromSeconds(30),
            "the last encoder to end"
        );
        var (early, late) = (Sample.Around(samples, options.Jobs / 10), Sample.Around(samples, options.Jobs));
        report.Check(
            "jobs completed",
            failed.Count == 0,
            $"{options.Jobs - failed.Count} of {options.Jobs}{(failed.Count == 0 ? "" : "; first: " + failed[0])}"
        );
        report.Check(
            "worker memory",
            late.Mebibytes - early.Mebibytes <= AllowedMebibytes,
            $"{early.Mebibytes:0.0} MiB about job {options.Jobs / 10}, {late.Mebibytes:0.0} MiB about job {options.Jobs} (allowed: "
                + $"{AllowedMebibytes} more)"
        );
        report.Check(
            "worker descriptors",
            late.Descriptors - early.Descriptors <= 5,
            $"{early.Descriptors:0} then, {late.Descriptors:0} now"
        );
        report.Check("worker threads", late.Threads - early.Threads <= 5, $"{early.Threads:0} then, {late.Threads:0} now");
        var renderers = worker.Children("RenderFarm.Renderer").Count;
        report.Check(
            "processes",
            renderers <= (options.Standby ? 1 : 0) && worker.Children("ffmpeg").Count == 0,
            $"{renderers} renderers{(options.Standby ? " (one stands by)" : "")}, no encoder"
        );
        var segments = SharedMemory().Except(before).ToList();
        report.Check("shared memory", segments.Count == 0, segments.Count == 0 ? "no new segment" : string.Join(", ", segments));
        var scratch = new[] { "attempts", "spool" }
            .SelectMany(folder => Directory.EnumerateFileSystemEntries(Path.Combine(farm.Home, "worker-1", folder)))
            .ToList();
        report.Check("scratch and spool", scratch.Count == 0, scratch.Count == 0 ? "empty" : string.Join(", ", scratch));
        var health = JsonDocument
            .Parse(await farm.Http.GetStringAsync(farm.MetricsUrls["worker-1"].Replace("/metrics", "/health", StringComparison.Ordinal)))
            .RootElement;
        var held = health
            .GetProperty("slots")
            .EnumerateArray()
            .Where(slot =>
                slot.GetProperty("job").ValueKind != JsonValueKind.Null || slot.GetProperty("quarantine").ValueKind != JsonValueKind.Null
            )
            .ToList();
        report.Check("slots", held.Count == 0, held.Count == 0 ? "all free" : string.Join(", ", held));
        if (cards is not null)
        {
            report.Check(
                "device memory",
                lowestFree >= (freeBefore / (double)(1 << 20)) - AllowedDeviceMebibytes,
                $"{freeBefore >> 20} MiB free before, {lowestFree:0} at the lowest between jobs (allowed: {AllowedDeviceMebibytes} less)"
            );
        }

        report.Figure("a job", wall / options.Jobs, "s");
        report.Figure("a job, the renderer's work", rendering / options.Jobs, "s");
        report.Figure("a job, fresh process, encoder, upload and lease", 100 * (wall - rendering) / wall, "%");
        report.Details["jobs"] = options.Jobs;
        report.Details["request"] =
            $"model {options.Model}, {options.Size}, {options.Frames} frames, {options.Steps} steps" + (options.Standby ? ", standby" : "");
        if (cards is not null)
        {
            report.Machine["cards"] = string.Join(", ", cards.Cards.Select(card => card.Name));
            report.Machine["driver"] = cards.DriverVersion;
        }
        if (Directory.Exists(LeakOptions.WeightCache))
        {
            Directory.Delete(LeakOptions.WeightCache, recursive: true);
        }

        return report.Finish();
    }

    /// <summary>What the renderer itself was busy with.</summary>
    private static double RenderSeconds(JsonElement measured) =>
        new[] { "load_seconds", "encode_text_seconds", "denoise_seconds", "decode_seconds" }.Sum(name =>
            measured.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : 0
        );

    /// <summary>MiB free on all cards once it has come back, or after five seconds.</summary>
    private static async Task<double> FreeAgainAsync(NvmlLibrary cards, long wanted)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var free = cards.Cards.Sum(card => cards.MemoryOf(card).FreeBytes);
            if (free >= wanted - ((long)AllowedDeviceMebibytes << 20) || clock.Elapsed.TotalSeconds > 5)
            {
                return free / (double)(1 << 20);
            }

            await Task.Delay(100, CancellationToken.None);
        }
    }

    private static HashSet<string> SharedMemory() =>
        Directory.Exists("/dev/shm")
            ?
            [
                .. Directory
                    .EnumerateFileSystemEntries("/dev/shm", "renderfarm-*", SearchOption.AllDirectories)
                    .Where(entry => !entry.EndsWith(".lock", StringComparison.Ordinal)),
            ]
            : [];

    /// <summary>The worker after a job.</summary>
    private sealed record Sample(double Job, double Mebibytes, double Descriptors, double Threads)
    {
        private const int Window = 10;

        public static Sample Of(int job, int process)
        {
            var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{process}");
            double Status(string field) =>
                double.Parse(
                    File.ReadLines(Path.Combine(folder, "status"))
                        .First(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..]
                        .Replace("kB", "", StringComparison.Ordinal),
                    CultureInfo.InvariantCulture
                );
            return new Sample(
                job,
                Status("RssAnon:") / 1024,
                Directory.GetFileSystemEntries(Path.Combine(folder, "fd")).Length,
                Status("Threads:")
            );
        }

        /// <summary>The middle of the samples up to a job: a collection just before or after one of them says nothing.</summary>
        public static Sample Around(IReadOnlyList<Sample> samples, int job)
        {
            var near = samples.Where(sample => sample.Job <= job && sample.Job > job - Window).DefaultIfEmpty(samples[0]).ToList();
            double Middle(Func<Sample, double> figure) => near.Select(figure).Order().ElementAt(near.Count / 2);
            return new Sample(
                job,
                Middle(sample => sample.Mebibytes),
                Middle(sample => sample.Descriptors),
                Middle(sample => sample.Threads)
            );
        }

        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"worker {Mebibytes:0.0} MiB, {Descriptors:0} descriptors, {Threads:0} threads");
    }
}
