using System.Diagnostics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// Seconds and peak memory of each stage of one render: device memory on a card, resident memory on a CPU. A stage may be entered
/// more than once: its seconds add up and its peak is the highest.
/// </summary>
/// <param name="gauge">What memory to watch; the process's resident set when not given.</param>
public sealed class StageMeter(IMemoryGauge? gauge = null)
{
    private readonly IMemoryGauge _gauge = gauge ?? new ResidentMemory();
    private readonly Dictionary<RenderStage, double> _seconds = [];
    private readonly Dictionary<RenderStage, long> _peaks = [];
    private readonly List<double> _steps = [];
    private readonly long _started = Stopwatch.GetTimestamp();
    private RenderStage? _current;
    private long _entered;
    private double? _toFirstStep;

    public void Enter(RenderStage stage)
    {
        Leave();
        _gauge.RestartPeak();
        _current = stage;
        _entered = Stopwatch.GetTimestamp();
        if (stage == RenderStage.Denoising)
        {
            _toFirstStep ??= Stopwatch.GetElapsedTime(_started).TotalSeconds;
        }
    }

    public void StepDone(double seconds) => _steps.Add(seconds);

    /// <summary>What is known now; stages that were not reached are null.</summary>
    public Measurements Measured()
    {
        Leave();
        return new Measurements
        {
            LoadSeconds = Seconds(RenderStage.Loading),
            EncodeTextSeconds = Seconds(RenderStage.EncodingText),
            EncodeImageSeconds = Seconds(RenderStage.EncodingImage),
            StepSeconds = _steps.Count == 0 ? null : _steps.Order().ElementAt(_steps.Count / 2),
            DenoiseSeconds = Seconds(RenderStage.Denoising),
            DecodeSeconds = Seconds(RenderStage.Decoding),
            SecondsToFirstStep = _toFirstStep,
            PeakBytes = _peaks.Count == 0 ? null : _peaks.Values.Max(),
            StagePeakBytes = _peaks.ToDictionary(p => Word.Of(p.Key), p => p.Value),
        };
    }

    private double? Seconds(RenderStage stage) => _seconds.TryGetValue(stage, out var value) ? value : null;

    private void Leave()
    {
        if (_current is not { } stage)
        {
            return;
        }

        _seconds[stage] = _seconds.GetValueOrDefault(stage) + Stopwatch.GetElapsedTime(_entered).TotalSeconds;
        _peaks[stage] = Math.Max(_peaks.GetValueOrDefault(stage), _gauge.PeakBytes());
        _current = null;
    }
}
