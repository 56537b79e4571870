using System.Diagnostics.Metrics;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Nvml;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Slots;
using Instrument = RenderFarm.Hosting.Metrics.Instrument;

namespace RenderFarm.Worker.Metrics;

/// <summary>Everything this worker counts and measures, under one meter.</summary>
internal sealed class WorkerMetrics
{
    private readonly Meter _meter;
    private readonly KeyValuePair<string, object?> _worker;
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _renewals;
    private readonly Counter<long> _discarded;
    private readonly Counter<long> _leases;
    private readonly Histogram<double> _stages;
    private readonly Histogram<double> _steps;
    private readonly Histogram<double> _firstSteps;
    private readonly Histogram<double> _starts;
    private readonly Histogram<double> _uploadTimes;
    private readonly Counter<long> _uploads;
    private readonly Counter<long> _uploadedBytes;
    private readonly Counter<long> _outOfMemory;
    private readonly Counter<long> _cacheRequests;
    private readonly Counter<long> _streamed;
    private readonly Gauge<double> _predictedStep;
    private readonly Gauge<double> _measuredStep;
    private readonly Gauge<long> _predictedPeak;
    private readonly Gauge<long> _measuredPeak;

    public WorkerMetrics(SlotDiscovery discovery, IOptions<WorkerOptions> options, IMeterFactory factory)
    {
        _meter = factory.Create(WorkerInstruments.Meter);
        _worker = new("worker", options.Value.Name);
        var slots = discovery.Slots;
        _attempts = _meter.Counter(WorkerInstruments.Attempts);
        _renewals = _meter.Counter(WorkerInstruments.LeaseRenewals);
        _discarded = _meter.Counter(WorkerInstruments.RendersDiscarded);
        _leases = _meter.Counter(WorkerInstruments.LeaseRequests);
        _stages = _meter.Histogram(WorkerInstruments.StageDuration);
        _steps = _meter.Histogram(WorkerInstruments.StepDuration);
        _firstSteps = _meter.Histogram(WorkerInstruments.FirstStepDuration);
        _starts = _meter.Histogram(WorkerInstruments.RendererStartDuration);
        _uploadTimes = _meter.Histogram(WorkerInstruments.UploadDuration);
        _uploads = _meter.Counter(WorkerInstruments.Uploads);
        _uploadedBytes = _meter.Counter(WorkerInstruments.UploadSize);
        _outOfMemory = _meter.Counter(WorkerInstruments.OutOfMemory);
        _cacheRequests = _meter.Counter(WorkerInstruments.WeightCacheRequests);
        _streamed = _meter.Counter(WorkerInstruments.Streamed);
        _meter.Total(
            WorkerInstruments.SlotErrors,
            () =>
                slots.SelectMany(slot =>
                    slot.CardErrors.Select(seen => new Measurement<long>(seen.Value, _worker, new("slot", slot.Id), new("xid", seen.Key)))
                )
        );
        _predictedStep = _meter.Seconds(WorkerInstruments.StepPredicted);
        _measuredStep = _meter.Seconds(WorkerInstruments.StepMeasured);
        _predictedPeak = _meter.Gauge(WorkerInstruments.PeakPredicted);
        _measuredPeak = _meter.Gauge(WorkerInstruments.PeakMeasured);
        Observe(WorkerInstruments.SlotBusy, slots, s => s.CurrentJob is null ? 0 : 1);
        Observe(WorkerInstruments.SlotMemoryTotal, slots, s => s.Description.TotalBytes);
        _meter.Observe(WorkerInstruments.SlotMemoryUsed, () => Readings(slots, s => s.Description.TotalBytes - s.FreeBytes));
        Observe(WorkerInstruments.SlotQuarantined, slots, s => s.Quarantine is null ? 0 : 1);
        _meter.Observe(WorkerInstruments.SlotUtilization, () => Readings(slots, s => s.Card?.Vitals.UtilizationPercent / 100.0));
        _meter.Observe(WorkerInstruments.SlotTemperature, () => Readings(slots, s => (double?)s.Card?.Vitals.TemperatureCelsius));
        _meter.Observe(WorkerInstruments.SlotPower, () => Readings(slots, s => s.Card?.Vitals.PowerWatts));
    }

    public void Leased(string result) => _leases.Add(1, _worker, new("result", result));

    public void Renewed(string result) => _renewals.Add(1, _worker, new("result", result));

    /// <summary>Work on a video, or the whole of it, was for nothing.</summary>
    public void Discarded(string model, string reason) => _discarded.Add(1, _worker, new("model", model), new("reason", reason));

    public void AttemptEnded(string model, string outcome, FailureReason? reason) =>
        _attempts.Add(1, _worker, new("model", model), new("outcome", outcome), new("reason", reason is { } r ? Word.Of(r) : "none"));

    public void StageDone(string model, RenderStage stage, TimeSpan duration) =>
        _stages.Record(duration.TotalSeconds, _worker, new("model", model), new("stage", Word.Of(stage)));

    /// <param name="streamedBytes">Of weights, as planned for a step.</param>
    public void StepDone(string slot, string model, double seconds, long streamedBytes)
    {
        var of = new KeyValuePair<string, object?>("model", model);
        _steps.Record(seconds, _worker, of);
        _measuredStep.Record(seconds, _worker, of, new("slot", slot));
        if (streamedBytes > 0)
        {
            _streamed.Add(streamedBytes, _worker, of);
        }
    }

    public void FirstStepBegun(string model, RenderStart start, double seconds) =>
        _firstSteps.Record(seconds, _worker, new("model", model), new("start", Word.Of(start)));

    public void RendererReady(string slot, double seconds) => _starts.Record(seconds, _worker, new("slot", slot));

    public void Planned(Slot slot, string model, RenderPlan plan)
    {
        var (of, on) = (new KeyValuePair<string, object?>("model", model), new KeyValuePair<string, object?>("slot", slot.Id));
        _predictedPeak.Record(plan.PredictedPeakBytes, _worker, of, on);
        _predictedStep.Record(plan.PredictedStepSeconds, _worker, of, on);
    }

    public void Peaked(Slot slot, string model, long bytes) =>
        _measuredPeak.Record(bytes, _worker, new("model", model), new("slot", slot.Id));

    /// <summary>An attempt failed for want of memory, under this plan.</summary>
    public void OutOfMemory(string model, Precision precision, FailureReason reason) =>
        _outOfMemory.Add(
            1,
            _worker,
            new("model", model),
            new("precision", Word.Of(precision)),
            new("memory", reason == FailureReason.GpuOutOfMemory ? "gpu" : "host")
        );

    public void WeightsLookedFor(string model, bool areThere) =>
        _cacheRequests.Add(1, _worker, new("model", model), new("result", areThere ? "hit" : "miss"));

    public void UploadTried(UploadKind kind, string result) => _uploads.Add(1, _worker, new("kind", Word.Of(kind)), new("result", result));

    public void Uploaded(UploadKind kind, long bytes, TimeSpan took)
    {
        var of = new KeyValuePair<string, object?>("kind", Word.Of(kind));
        UploadTried(kind, "stored");
        _uploadedBytes.Add(bytes, _worker, of);
        _uploadTimes.Record(took.TotalSeconds, _worker, of);
    }

    /// <summary>A figure of the whole worker, asked for by each scrape.</summary>
    public void Observe<T>(Instrument of, Func<T> value)
        where T : struct => _meter.Observe<T>(of, () => [new(value(), _worker)]);

    /// <summary>A figure of each slot, asked for by each scrape.</summary>
    public void Observe<T>(Instrument of, IReadOnlyList<Slot> slots, Func<Slot, T> value)
        where T : struct => _meter.Observe(of, () => slots.Select(slot => new Measurement<T>(value(slot), Of(slot))));

    /// <summary>A figure of every slot that has it; a card whose driver doesn't answer has none.</summary>
    private IEnumerable<Measurement<double>> Readings(IReadOnlyList<Slot> slots, Func<Slot, double?> figure)
    {
        foreach (var slot in slots)
        {
            double? value = null;
            try
            {
                value = figure(slot);
            }
            catch (NvmlException)
            {
                // The slot is closed with the driver's words
            }

            if (value is { } known)
            {
                yield return new Measurement<double>(known, Of(slot));
            }
        }
    }

    private KeyValuePair<string, object?>[] Of(Slot slot) => [_worker, new("slot", slot.Id), new("card", slot.Description.Card)];
}
