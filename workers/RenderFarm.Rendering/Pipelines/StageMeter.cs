using System.Diagnostics;
using System.Text.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// Seconds and peak memory of each stage of one render: device memory on a card, resident memory on a CPU. A stage may be entered more than once: its seconds add
/// up and its peak is the highest.
/// </summary>
/// <param name="gauge">What memory to watch; the process's resident set when not given.</param>
public sealed class StageMeter(IMemoryGauge? gauge = null)
{
    private readonly IMemoryGauge gauge = gauge ?? new ResidentMemory();
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
        gauge.RestartPeak();
        current = stage;
        entered = Stopwatch.GetTimestamp();
        if (stage == RenderStage.Denoising)
            toFirstStep ??= Stopwatch.GetElapsedTime(started).TotalSeconds;
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
            EncodeImageSeconds = Seconds(RenderStage.EncodingImage),
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
        if (current is not { } stage)
            return;
        seconds[stage] = seconds.GetValueOrDefault(stage) + Stopwatch.GetElapsedTime(entered).TotalSeconds;
        peaks[stage] = Math.Max(peaks.GetValueOrDefault(stage), gauge.PeakBytes());
        current = null;
    }
}
