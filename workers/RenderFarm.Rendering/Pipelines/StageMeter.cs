using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// Seconds and peak resident memory of each stage of one render. A stage may be entered more than once: its seconds add
/// up and its peak is the highest.
/// </summary>
public sealed class StageMeter
{
    private readonly Dictionary<RenderStage, double> seconds = [];
    private readonly Dictionary<RenderStage, long> peaks = [];
    private readonly List<double> steps = [];
    private readonly long started = Stopwatch.GetTimestamp();
    private RenderStage? current;
    private long entered;
    private double? toFirstStep;

    public void Enter(RenderStage stage)
    {
        Leave();
        ResidentMemory.ResetPeak();
        current = stage;
        entered = Stopwatch.GetTimestamp();
        if (stage == RenderStage.Denoising) toFirstStep ??= Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    public void StepDone(double seconds) => steps.Add(seconds);

    /// <summary>What is known now; stages that were not reached are null.</summary>
    public Measurements Measured()
    {
        Leave();
        return new Measurements
        {
            LoadSeconds = Seconds(RenderStage.Loading),
            EncodeTextSeconds = Seconds(RenderStage.EncodingText),
            StepSeconds = steps.Count == 0 ? null : steps.Order().ElementAt(steps.Count / 2),
            DenoiseSeconds = Seconds(RenderStage.Denoising),
            DecodeSeconds = Seconds(RenderStage.Decoding),
            SecondsToFirstStep = toFirstStep,
            PeakBytes = peaks.Count == 0 ? null : peaks.Values.Max(),
            StagePeakBytes = peaks.ToDictionary(p => JsonNamingPolicy.SnakeCaseLower.ConvertName(p.Key.ToString()), p => p.Value),
        };
    }

    private double? Seconds(RenderStage stage) => seconds.TryGetValue(stage, out var value) ? value : null;

    private void Leave()
    {
        if (current is not { } stage) return;
        seconds[stage] = seconds.GetValueOrDefault(stage) + Stopwatch.GetElapsedTime(entered).TotalSeconds;
        peaks[stage] = Math.Max(peaks.GetValueOrDefault(stage), ResidentMemory.PeakBytes());
        current = null;
    }
}

/// <summary>Resident set of this process, from the kernel.</summary>
internal static class ResidentMemory
{
    /// <summary>Highest resident set since the start or the last reset (<c>VmHWM</c>).</summary>
    public static long PeakBytes()
    {
        foreach (var line in File.ReadLines("/proc/self/status"))
        {
            if (!line.StartsWith("VmHWM:", StringComparison.Ordinal)) continue;
            var kibibytes = line.AsSpan(6).Trim();
            return long.Parse(kibibytes[..kibibytes.IndexOf(' ')], CultureInfo.InvariantCulture) * 1024;
        }
        return 0;
    }

    /// <summary>Lets the peak start over from the present resident set, where the kernel allows it.</summary>
    public static void ResetPeak()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // a sandbox may forbid it; then a stage's peak includes those before it, which errs on the safe side
        }
    }
}
