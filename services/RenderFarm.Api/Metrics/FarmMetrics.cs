using System.Diagnostics.Metrics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Leasing;

namespace RenderFarm.Api.Metrics;

/// <summary>
/// What the API can measure: queues (from the store, see <see cref="QueueGauges"/>), and what the endings of leases
/// report. The names here are the ones dashboards and alerts are built on.
/// </summary>
internal sealed class FarmMetrics
{
    public const string MeterName = "RenderFarm.Api";

    private readonly Counter<long> _submissions;
    private readonly Counter<long> _endings;
    private readonly Histogram<double> _leaseDuration;
    private readonly Histogram<double> _stageDuration;
    private readonly Histogram<double> _stepDuration;
    private readonly Histogram<double> _queueWait;
    private readonly Gauge<long> _predictedPeak;
    private readonly Gauge<long> _measuredPeak;
    private int _waitingPolls;

    public FarmMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(MeterName);
        _submissions = meter.CreateCounter<long>("renderfarm.submissions", description: "Videos submitted, by model and result.");
        _endings = meter.CreateCounter<long>("renderfarm.lease.endings", description: "Ended leases, by model, ending and reason.");
        _leaseDuration = meter.CreateHistogram<double>("renderfarm.lease.duration", "s", "From lease to its ending, by model and ending.");
        _stageDuration = meter.CreateHistogram<double>(
            "renderfarm.stage.duration",
            "s",
            "Time in one stage of a render, by model, card and stage."
        );
        _stepDuration = meter.CreateHistogram<double>(
            "renderfarm.step.duration",
            "s",
            "Median denoise step of a render, by model and card."
        );
        _queueWait = meter.CreateHistogram<double>("renderfarm.queue.wait", "s", "From submission to the first lease, by model.");
        _predictedPeak = meter.CreateGauge<long>(
            "renderfarm.peak.predicted",
            "By",
            "Predicted peak memory of the newest render, by model and card."
        );
        _measuredPeak = meter.CreateGauge<long>(
            "renderfarm.peak.measured",
            "By",
            "Measured peak memory of the newest render, by model and card."
        );
        meter.CreateObservableGauge(
            "renderfarm.lease.polls",
            () => WaitingPolls,
            description: "Slots that are waiting for work in a long poll."
        );
    }

    public void Submitted(string model, string result) => _submissions.Add(1, new("model", model), new("result", result));

    public void Leased(LeasedJob job)
    {
        // Only the first lease of a job ends its wait; later ones would count the render before them as waiting.
        if (job.Fence == 1)
        {
            _queueWait.Record(Math.Max(0, job.WaitedSeconds), new KeyValuePair<string, object?>("model", job.Spec.Model));
        }
    }

    public int WaitingPolls => Volatile.Read(ref _waitingPolls);

    public void PollBegan() => Interlocked.Increment(ref _waitingPolls);

    public void PollEnded() => Interlocked.Decrement(ref _waitingPolls);

    /// <param name="ending"><c>completed</c>, <c>failed</c> or <c>released</c>.</param>
    public void Ended(Job job, string ending, FailureReason? reason, Measurements? measured)
    {
        var model = new KeyValuePair<string, object?>("model", job.Spec.Model);
        _endings.Add(1, model, new("ending", ending), new("reason", reason is { } why ? Wire.Word(why) : "none"));
        if (job.LatestLease is { EndedAt: { } ended } lease)
        {
            _leaseDuration.Record((ended - lease.LeasedAt).TotalSeconds, model, new("ending", ending));
        }

        if (measured is not null)
        {
            Record(measured, model, new("card", measured.Card ?? "unknown"));
        }
    }

    private void Record(Measurements measured, KeyValuePair<string, object?> model, KeyValuePair<string, object?> card)
    {
        Stage(RenderStage.Loading, measured.LoadSeconds);
        Stage(RenderStage.EncodingText, measured.EncodeTextSeconds);
        Stage(RenderStage.Denoising, measured.DenoiseSeconds);
        Stage(RenderStage.Decoding, measured.DecodeSeconds);
        Stage(RenderStage.Uploading, measured.UploadSeconds);
        if (measured.StepSeconds is { } step)
        {
            _stepDuration.Record(step, model, card);
        }

        if (measured.PredictedPeakBytes is { } predicted)
        {
            _predictedPeak.Record(predicted, model, card);
        }

        if (measured.PeakBytes is { } peak)
        {
            _measuredPeak.Record(peak, model, card);
        }

        void Stage(RenderStage stage, double? seconds)
        {
            if (seconds is { } time)
            {
                _stageDuration.Record(time, model, card, new("stage", Wire.Word(stage)));
            }
        }
    }
}
