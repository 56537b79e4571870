using System.Diagnostics.Metrics;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Videos;
using RenderFarm.Nvml;
using RenderFarm.Worker.Slots;

namespace RenderFarm.Worker.Metrics;

/// <summary>Everything this worker counts and measures, under one meter.</summary>
internal sealed class WorkerMetrics : IDisposable
{
    public const string MeterName = "RenderFarm.Worker";
    public const string StepDuration = "renderfarm.step.duration";
    public const string StageDuration = "renderfarm.stage.duration";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _attempts;
    private readonly Counter<long> _renewals;
    private readonly Counter<long> _leases;
    private readonly Histogram<double> _stages;
    private readonly Histogram<double> _steps;
    private readonly Gauge<long> _predictedPeak;
    private readonly Gauge<long> _measuredPeak;

    public WorkerMetrics(SlotDiscovery discovery)
    {
        var slots = discovery.Slots;
        _attempts = _meter.CreateCounter<long>("renderfarm.attempts", description: "Attempts by outcome");
        _renewals = _meter.CreateCounter<long>("renderfarm.lease.renewals", description: "Lease renewals by result");
        _leases = _meter.CreateCounter<long>("renderfarm.lease.requests", description: "Requests for work by result");
        _stages = _meter.CreateHistogram<double>(StageDuration, "s", "Time per stage of a render");
        _steps = _meter.CreateHistogram<double>(StepDuration, "s", "Time per denoise step");
        _predictedPeak = _meter.CreateGauge<long>("renderfarm.peak.predicted", "By", "Peak memory that the last plan predicted");
        _measuredPeak = _meter.CreateGauge<long>("renderfarm.peak.measured", "By", "Peak memory that the last render took");
        _meter.CreateObservableGauge(
            "renderfarm.slot.busy",
            () => slots.Select(s => new Measurement<int>(s.CurrentJob is null ? 0 : 1, Of(s))),
            description: "1 while the slot renders"
        );
        _meter.CreateObservableGauge(
            "renderfarm.slot.memory.total",
            () => slots.Select(s => new Measurement<long>(s.Description.TotalBytes, Of(s))),
            "By",
            "Device memory of a card, host memory of a CPU slot"
        );
        _meter.CreateObservableGauge(
            "renderfarm.slot.memory.used",
            () => Readings(slots, s => s.Description.TotalBytes - s.FreeBytes),
            "By",
            "Memory in use, by anyone"
        );
        _meter.CreateObservableGauge(
            "renderfarm.slot.quarantined",
            () => slots.Select(s => new Measurement<int>(s.Quarantine is null ? 0 : 1, Of(s))),
            description: "1 while the slot takes no jobs because something is wrong with its card"
        );
        _meter.CreateObservableGauge(
            "renderfarm.slot.utilization",
            () => Readings(slots, s => s.Card?.Vitals.UtilizationPercent / 100.0),
            description: "Part of the last second in which the card computed, 0 to 1"
        );
        _meter.CreateObservableGauge(
            "renderfarm.slot.temperature",
            () => Readings(slots, s => (double?)s.Card?.Vitals.TemperatureCelsius),
            "Cel",
            "Temperature of the card"
        );
        _meter.CreateObservableGauge(
            "renderfarm.slot.power",
            () => Readings(slots, s => s.Card?.Vitals.PowerWatts),
            "W",
            "Power the card draws"
        );
    }

    public void Leased(string result) => _leases.Add(1, new KeyValuePair<string, object?>("result", result));

    public void Renewed(string result) => _renewals.Add(1, new KeyValuePair<string, object?>("result", result));

    public void AttemptEnded(string model, string outcome, FailureReason? reason) =>
        _attempts.Add(
            1,
            new("model", model),
            new("outcome", outcome),
            new("reason", reason is { } r ? Word(r, ContractsJson.Default.FailureReason) : "none")
        );

    public void StageDone(string model, RenderStage stage, TimeSpan duration) =>
        _stages.Record(duration.TotalSeconds, new("model", model), new("stage", Word(stage, ContractsJson.Default.RenderStage)));

    public void StepDone(string model, double seconds) => _steps.Record(seconds, new KeyValuePair<string, object?>("model", model));

    public void Planned(Slot slot, string model, RenderPlan plan) =>
        _predictedPeak.Record(plan.PredictedPeakBytes, new("model", model), new("slot", slot.Id));

    public void Peaked(Slot slot, string model, long bytes) => _measuredPeak.Record(bytes, new("model", model), new("slot", slot.Id));

    /// <summary>The spool's size is read when asked for.</summary>
    public void ObserveSpool(Func<int> entries, Func<long> bytes)
    {
        _meter.CreateObservableGauge("renderfarm.spool.entries", entries, description: "Finished videos that wait for their upload");
        _meter.CreateObservableGauge("renderfarm.spool.bytes", bytes, "By", "Size of the finished videos that wait for their upload");
    }

    public void Dispose() => _meter.Dispose();

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

    private static string Word<T>(T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) =>
        JsonSerializer.SerializeToElement(value, type).GetString()!;
}
