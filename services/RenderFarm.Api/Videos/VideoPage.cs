using System.Globalization;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Models;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;

namespace RenderFarm.Api.Videos;

/// <summary>Shows one job with everything that takes a look around: its place in the queue, its link, the workers there are.</summary>
public sealed class VideoPage(JobStore jobs, IArtifactStore artifacts, ModelDirectory models, IOptions<VideosOptions> options, TimeProvider time)
{
    /// <summary>Also tells the SDKs' poll helper when to look again.</summary>
    public async Task<Video> ShowAsync(Job job, HttpResponse response, CancellationToken cancel)
    {
        var ahead = await jobs.QueuePositionAsync(job, cancel);
        var video = Video.Of(job, time.GetUtcNow(), ahead + 1) with { DownloadUrl = await LinkAsync(job, cancel), Note = await NoteAsync(job, cancel) };
        if (video.Status is VideoStatus.Queued or VideoStatus.InProgress)
        {
            response.Headers["openai-poll-after-ms"] = RenderProgress.PollAfterMilliseconds(video.EtaSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return video;
    }

    private async Task<string?> LinkAsync(Job job, CancellationToken cancel)
    {
        if (job.State != JobState.Completed || job.Artifacts.FirstOrDefault(a => a.Kind == ArtifactKind.Video) is not { } file)
        {
            return null;
        }

        var link = await artifacts.PresignGetAsync(file.Key, TimeSpan.FromSeconds(options.Value.DownloadLinkSeconds), LinkReach.Public, $"{job.Id}.mp4", cancel);
        return link?.AbsoluteUri;
    }

    private async Task<string?> NoteAsync(Job job, CancellationToken cancel)
    {
        if (await models.FindAsync(job.Spec.Model, cancel) is not { } model)
        {
            return null;
        }

        return job.State == JobState.Queued && model.LiveWorkers == 0
            ? $"No worker with model '{job.Spec.Model}' is connected now; the video waits for one."
            : model.Registration.Note;
    }
}
