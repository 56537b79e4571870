using System.Diagnostics.Metrics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Nvml;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Metrics;

/// <summary>Everything this worker counts and measures, under one meter.</summary>
internal sealed class WorkerMetrics
{
    private readonly Meter _meter;
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _renewals;
    private readonly Counter<long> _discarded;
    private readonly Counter<long> _leases;
    private readonly Histogram<double> _stages;
    private readonly Histogram<double> _steps;
    private readonly Histogram<double> _firstSteps;
    private readonly Gauge<long> _predictedPeak;
    private readonly Gauge<long> _measuredPeak;

    public WorkerMetrics(SlotDiscovery discovery, IMeterFactory factory)
    {
        _meter = factory.Create(WorkerInstruments.Meter);
        var slots = discovery.Slots;
        _attempts = _meter.Counter(WorkerInstruments.Attempts);
        _renewals = _meter.Counter(WorkerInstruments.LeaseRenewals);
        _discarded = _meter.Counter(WorkerInstruments.RendersDiscarded);
        _leases = _meter.Counter(WorkerInstruments.LeaseRequests);
        _stages = _meter.Histogram(WorkerInstruments.StageDuration);
        _steps = _meter.Histogram(WorkerInstruments.StepDuration);
        _firstSteps = _meter.Histogram(WorkerInstruments.FirstStepDuration);
        _predictedPeak = _meter.Gauge(WorkerInstruments.PeakPredicted);
        _measuredPeak = _meter.Gauge(WorkerInstruments.PeakMeasured);
        _meter.Observe(WorkerInstruments.SlotBusy, () => slots.Select(s => new Measurement<int>(s.CurrentJob is null ? 0 : 1, Of(s))));
        _meter.Observe(WorkerInstruments.SlotMemoryTotal, () => slots.Select(s => new Measurement<long>(s.Description.TotalBytes, Of(s))));
        _meter.Observe(WorkerInstruments.SlotMemoryUsed, () => Readings(slots, s => s.Description.TotalBytes - s.FreeBytes));
        _meter.Observe(
            WorkerInstruments.SlotQuarantined,
            () => slots.Select(s => new Measurement<int>(s.Quarantine is null ? 0 : 1, Of(s)))
        );
        _meter.Observe(WorkerInstruments.SlotUtilization, () => Readings(slots, s => s.Card?.Vitals.UtilizationPercent / 100.0));
        _meter.Observe(WorkerInstruments.SlotTemperature, () => Readings(slots, s => (double?)s.Card?.Vitals.TemperatureCelsius));
        _meter.Observe(WorkerInstruments.SlotPower, () => Readings(slots, s => s.Card?.Vitals.PowerWatts));
    }

    public void Leased(string result) => _leases.Add(1, new KeyValuePair<string, object?>("result", result));

    public void Renewed(string result) => _renewals.Add(1, new KeyValuePair<string, object?>("result", result));

    /// <summary>Work on a video, or the whole of it, was for nothing.</summary>
    public void Discarded(string model, string reason) => _discarded.Add(1, new("model", model), new("reason", reason));

    public void AttemptEnded(string model, string outcome, FailureReason? reason) =>
        _attempts.Add(1, new("model", model), new("outcome", outcome), new("reason", reason is { } r ? Word.Of(r) : "none"));

    public void StageDone(string model, RenderStage stage, TimeSpan duration) =>
        _stages.Record(duration.TotalSeconds, new("model", model), new("stage", Word.Of(stage)));

    public void StepDone(string model, double seconds) => _steps.Record(seconds, new KeyValuePair<string, object?>("model", model));

    public void FirstStepBegun(string model, RenderStart start, double seconds) =>
        _firstSteps.Record(seconds, new("model", model), new("start", Word.Of(start)));

    public void Planned(Slot slot, string model, RenderPlan plan) =>
        _predictedPeak.Record(plan.PredictedPeakBytes, new("model", model), new("slot", slot.Id));

    public void Peaked(Slot slot, string model, long bytes) => _measuredPeak.Record(bytes, new("model", model), new("slot", slot.Id));

    /// <summary>The spool's size is read when asked for.</summary>
    public void ObserveSpool(Func<int> entries, Func<long> bytes)
    {
        _meter.Observe(WorkerInstruments.SpoolEntries, entries);
        _meter.Observe(WorkerInstruments.SpoolBytes, bytes);
    }

    /// <param name="loaded">Of each slot.</param>
    public void ObserveStandbys(IReadOnlyList<Slot> slots, Func<Slot, bool> loaded) =>
        _meter.Observe(WorkerInstruments.StandbyLoaded, () => slots.Select(s => new Measurement<int>(loaded(s) ? 1 : 0, Of(s))));

    /// <summary>A figure of every slot that has it; a card whose driver doesn't answer has none.</summary>
    private static IEnumerable<Measurement<double>> Readings(IReadOnlyList<Slot> slots, Func<Slot, double?> figure)
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

    private static KeyValuePair<string, object?>[] Of(Slot slot) => [new("slot", slot.Id), new("card", slot.Description.Card)];
}
