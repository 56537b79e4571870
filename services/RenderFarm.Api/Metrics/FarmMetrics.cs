using System.Diagnostics.Metrics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Messages;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Metrics;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Persistence;
using Instrument = RenderFarm.Hosting.Metrics.Instrument;

namespace RenderFarm.Api.Metrics;

/// <summary>
/// What the API can measure: queues (from the store, see <see cref="QueueGauges"/>), and what the endings of leases
/// report.
/// </summary>
internal sealed class FarmMetrics
{
    /// <summary>A promise is kept within this part more, and so many seconds.</summary>
    private const double Leeway = 1.5;
    private const double LeewaySeconds = 30;

    private readonly Counter<long> _submissions;
    private readonly Counter<long> _endings;
    private readonly Histogram<double> _leaseDuration;
    private readonly Histogram<double> _stageDuration;
    private readonly Histogram<double> _stepDuration;
    private readonly Histogram<double> _leaseWait;
    private readonly Histogram<double> _peakRatio;
    private readonly Histogram<double> _stepRatio;
    private readonly Histogram<double> _durationRatio;
    private readonly Histogram<double> _webhookDuration;
    private readonly Counter<long> _lost;
    private readonly Counter<long> _promises;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _superseded;
    private readonly Counter<long> _webhookTries;
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
        _leaseWait = meter.Histogram(ApiInstruments.LeaseWait);
        _promises = meter.Counter(ApiInstruments.LeasePromises);
        _lost = meter.Counter(ApiInstruments.LeasesLost);
        database.LeasesLost += Lost;
        _retries = meter.Counter(ApiInstruments.Retries);
        _superseded = meter.Counter(ApiInstruments.ReportsSuperseded);
        _peakRatio = meter.Histogram(ApiInstruments.PredictionPeak);
        _stepRatio = meter.Histogram(ApiInstruments.PredictionStep);
        _durationRatio = meter.Histogram(ApiInstruments.PredictionDuration);
        _webhookTries = meter.Counter(ApiInstruments.WebhookTries);
        _webhookDuration = meter.Histogram(ApiInstruments.WebhookDuration);
        _predictedPeak = meter.Gauge(ApiInstruments.LeasePeakPredicted);
        _measuredPeak = meter.Gauge(ApiInstruments.LeasePeakMeasured);
        meter.Observe(ApiInstruments.LeasePolls, () => WaitingPolls);
        OfJanitor(ApiInstruments.JanitorUnclaimed, left => left.Unclaimed);
        OfJanitor(ApiInstruments.JanitorUnclaimedSize, left => left.UnclaimedBytes);
        OfJanitor(ApiInstruments.JanitorHeldBack, left => left.HeldBack);

        void OfJanitor(Instrument of, Func<JanitorFindings, long> figure) =>
            meter.Observe<long>(of, () => janitor.Findings is { } left ? [new Measurement<long>(figure(left))] : []);
    }

    public void Submitted(string model, string? keyClass, string result) =>
        _submissions.Add(1, new("model", model), KeyClasses.Label(keyClass), new("result", result));

    public void Leased(LeasedJob job)
    {
        // Only the first lease of a job ends its wait; later ones would count the render before them as waiting.
        if (job.Fence != 1)
        {
            return;
        }

        var (model, vramClass) = (
            new KeyValuePair<string, object?>("model", job.Spec.Model),
            new KeyValuePair<string, object?>("vram_class", Bells.ClassName(job.VramClass))
        );
        var keyClass = KeyClasses.Label(job.KeyClass);
        var waited = Math.Max(0, job.WaitedSeconds);
        _leaseWait.Record(waited, model, vramClass, keyClass);
        var result =
            job.PromisedSeconds is not { } promised ? PromiseResult.Unserved
            : waited <= (promised * Leeway) + LeewaySeconds ? PromiseResult.Kept
            : PromiseResult.Late;
        _promises.Add(1, model, vramClass, keyClass, new("result", Word.Of(result)));
    }

    /// <param name="report">As the route has it.</param>
    public void Superseded(string report) => _superseded.Add(1, new KeyValuePair<string, object?>("report", report));

    public void WebhookTried(VideoEvent type, WebhookResult result, TimeSpan took)
    {
        var word = new KeyValuePair<string, object?>("result", Word.Of(result));
        _webhookTries.Add(1, new("type", Word.Of(type)), word);
        _webhookDuration.Record(took.TotalSeconds, word);
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

        if (ending == LeaseEnding.Failed && job.State == JobState.Queued && reason is { } failure)
        {
            _retries.Add(1, model, new("reason", Word.Of(failure)));
        }

        if (measured is not null)
        {
            var card = new KeyValuePair<string, object?>("card", measured.Card ?? "unknown");
            Record(measured, model, card);
            Compare(job, ending, measured, model, card);
        }
    }

    private void Lost(IReadOnlyList<LostLease> leases)
    {
        foreach (var lease in leases)
        {
            var model = new KeyValuePair<string, object?>("model", lease.Model);
            var reason = new KeyValuePair<string, object?>("reason", lease.Reason is { } why ? Word.Of(why) : "none");
            _endings.Add(1, model, new("ending", Word.Of(LeaseEnding.Lost)), reason);
            _lost.Add(1, model, new("worker", lease.Worker), new("seen", lease.WorkerIsAlive ? "alive" : "silent"));
            if (lease is { WaitsAgain: true, Reason: not null })
            {
                _retries.Add(1, model, reason);
            }
        }
    }

    /// <summary>What came of the plan's predictions.</summary>
    private void Compare(
        Job job,
        LeaseEnding ending,
        Measurements measured,
        KeyValuePair<string, object?> model,
        KeyValuePair<string, object?> card
    )
    {
        Ratio(_peakRatio, measured.PeakBytes, measured.PredictedPeakBytes);
        if (job.LatestLease is not { Plan: { } plan } lease)
        {
            return;
        }

        Ratio(_stepRatio, measured.StepSeconds, plan.PredictedStepSeconds);
        if (ending == LeaseEnding.Completed && lease.EndedAt is { } ended)
        {
            Ratio(_durationRatio, (ended - lease.LeasedAt).TotalSeconds, plan.PredictedSeconds);
        }

        void Ratio(Histogram<double> of, double? taken, double? predicted)
        {
            if (taken > 0 && predicted > 0)
            {
                of.Record(taken.Value / predicted.Value, model, card);
            }
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
