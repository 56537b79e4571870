using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Videos;

/// <summary>How far a job is, and how long it may still take.</summary>
public static class RenderProgress
{
    // Shares of the bar, not of the time: denoising is nearly all of a render, and the bar never goes back.
    private const int DenoisingFrom = 5;
    private const int DenoisingTo = 90;

    public static int Percent(Job job) => job.State is JobState.Completed or JobState.Expired ? 100 : job.Stage switch
    {
        RenderStage.Queued => 0,
        RenderStage.Loading => 1,
        RenderStage.EncodingText => 3,
        RenderStage.EncodingImage => 4,
        RenderStage.Denoising => DenoisingFrom + ((DenoisingTo - DenoisingFrom) * job.Step / Math.Max(1, job.Steps)),
        RenderStage.Decoding => DenoisingTo,
        RenderStage.EncodingVideo => 96,
        _ => 98,
    };

    /// <returns>Null where nothing is known, and for finished jobs.</returns>
    public static double? EtaSeconds(Job job, DateTimeOffset now, int? queuePosition)
    {
        switch (job.State)
        {
            case JobState.Queued:
                // As if one slot worked through alike jobs: more slots only make it sooner.
                return queuePosition is { } position ? Math.Round(job.EstimatedSeconds * position, 1) : null;
            case JobState.Uploading:
                return 1;
            case JobState.Leased or JobState.Rendering when job.LatestLease is { } lease:
                var predicted = (lease.Plan?.PredictedSeconds ?? job.EstimatedSeconds) - (now - lease.LeasedAt).TotalSeconds;
                var step = lease.Measurements?.StepSeconds ?? lease.Plan?.PredictedStepSeconds ?? 0;
                var steps = job.Stage <= RenderStage.Denoising ? (job.Spec.Steps - job.Step) * step : 0;
                return Math.Round(Math.Max(1, Math.Max(predicted, steps)), 1);
            default:
                return null;
        }
    }

    /// <summary>When a waiting client should look again: a quarter of the time left, as the SDKs' poll helper accepts it.</summary>
    public static int PollAfterMilliseconds(double? etaSeconds) => (int)Math.Clamp((etaSeconds ?? 4) * 250, 500, 10_000);
}
