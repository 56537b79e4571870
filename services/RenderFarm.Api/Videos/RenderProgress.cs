using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Videos;

/// <summary>How far a job is, and when to look again.</summary>
internal static class RenderProgress
{
    // Shares of the bar, not of the time: denoising is nearly all of a render, and the bar never goes back.
    private const int DenoisingFrom = 5;
    private const int DenoisingTo = 90;

    public static int Percent(Job job) =>
        job.State is JobState.Completed or JobState.Expired
            ? 100
            : job.Stage switch
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

    /// <summary>To a tenth: nobody knows it better.</summary>
    public static double? Rounded(double? etaSeconds) => etaSeconds is { } seconds ? Math.Round(seconds, 1) : null;

    /// <summary>When a waiting client should look again: a quarter of the time left, as the SDKs' poll helper accepts it.</summary>
    public static int PollAfterMilliseconds(double? etaSeconds) => (int)Math.Clamp((etaSeconds ?? 4) * 250, 500, 10_000);
}
