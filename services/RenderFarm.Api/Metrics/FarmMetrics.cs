using System.Diagnostics.Metrics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Metrics;

/// <summary>
/// What the API can measure: queues (from the store, see <see cref="QueueGauges"/>), and what the endings of leases
/// report.
/// </summary>
internal sealed class FarmMetrics
{
    private readonly Counter<long> _submissions;
    private readonly Counter<long> _endings;
    private readonly Histogram<double> _leaseDuration;
    private readonly Histogram<double> _stageDuration;
    private readonly Histogram<double> _stepDuration;
    private readonly Histogram<double> _queueWait;
    private readonly Gauge<long> _predictedPeak;
    private readonly Gauge<long> _measuredPeak;
    private int _waitingPolls;

    public FarmMetrics(IMeterFactory factory, JobDatabase database, ArtifactJanitor janitor)
    {
        ArgumentNullException.ThrowIfNull(database);
        var meter = factory.Create(ApiInstruments.Meter);
        var revived = meter.Counter(ApiInstruments.LeasesRevived);
        database.LeasesRevived += count => revived.Add(count);
        _submissions = meter.Counter(ApiInstruments.Submissions);
        _endings = meter.Counter(ApiInstruments.LeaseEndings);
        _leaseDuration = meter.Histogram(ApiInstruments.LeaseDuration);
        _stageDuration = meter.Histogram(ApiInstruments.LeaseStageDuration);
        _stepDuration = meter.Histogram(ApiInstruments.LeaseStepDuration);
        _queueWait = meter.Histogram(ApiInstruments.QueueWait);
        _predictedPeak = meter.Gauge(ApiInstruments.LeasePeakPredicted);
        _measuredPeak = meter.Gauge(ApiInstruments.LeasePeakMeasured);
        meter.Observe(ApiInstruments.LeasePolls, () => WaitingPolls);
        meter.Observe<long>(
            ApiInstruments.JanitorUnclaimed,
            () => janitor.Findings is { } left ? [new Measurement<long>(left.Unclaimed)] : []
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

    public void Ended(Job job, LeaseEnding ending, FailureReason? reason, Measurements? measured)
    {
        var model = new KeyValuePair<string, object?>("model", job.Spec.Model);
        _endings.Add(1, model, new("ending", Word.Of(ending)), new("reason", reason is { } why ? Word.Of(why) : "none"));
        if (job.LatestLease is { EndedAt: { } ended } lease)
        {
            _leaseDuration.Record((ended - lease.LeasedAt).TotalSeconds, model, new("ending", Word.Of(ending)));
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
                _stageDuration.Record(time, model, card, new("stage", Word.Of(stage)));
            }
        }
    }
}
