using System.Globalization;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Models;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Forecasts;
using RenderFarm.Jobs.Queue;

namespace RenderFarm.Api.Videos;

/// <summary>Shows one job with everything that takes a look around: its place in the queue, its link, the workers there are.</summary>
internal sealed class VideoPage(
    QueueForecast forecast,
    QueuePauses pauses,
    IArtifactStore artifacts,
    ModelDirectory models,
    IOptions<VideosOptions> options
)
{
    /// <summary>Also tells the SDKs' poll helper when to look again.</summary>
    public async Task<Video> ShowAsync(Job job, HttpResponse response, CancellationToken cancellationToken)
    {
        var outlook = await forecast.OfAsync(job, cancellationToken);
        var pause = job.State == JobState.Queued ? await pauses.OfAsync(job, cancellationToken) : null;
        var video = Video.Of(job) with
        {
            QueuePosition = outlook.Ahead + 1,
            // Of one that nobody takes, or that somebody holds back, nobody knows: the note says what it waits for
            EtaSeconds = outlook.IsServed && pause is null ? RenderProgress.Rounded(outlook.Seconds) : null,
            DownloadUrl = await LinkAsync(job, cancellationToken),
            Note = pause is null ? await NoteAsync(job, outlook, cancellationToken) : NoteOf(pause, job),
        };
        if (video.Status is VideoStatus.Queued or VideoStatus.InProgress)
        {
            response.Headers["openai-poll-after-ms"] = RenderProgress
                .PollAfterMilliseconds(video.EtaSeconds)
                .ToString(CultureInfo.InvariantCulture);
        }

        return video;
    }

    private async Task<string?> LinkAsync(Job job, CancellationToken cancellationToken)
    {
        if (job.State != JobState.Completed || job.Artifacts.FirstOrDefault(a => a.Kind == ArtifactKind.Video) is not { } file)
        {
            return null;
        }

        var link = await artifacts.PresignGetAsync(
            file.Key,
            TimeSpan.FromSeconds(options.Value.DownloadLinkSeconds),
            LinkReach.Public,
            $"{job.Id}.mp4",
            cancellationToken
        );
        return link?.AbsoluteUri;
    }

    private static string NoteOf(QueuePause pause, Job job) =>
        pause.Part switch
        {
            { IsAll: true } => "The queue is paused by an operator; the video waits until it is resumed.",
            { KeyId: null } => $"Model '{job.Spec.Model}' is paused by an operator; the video waits until it is resumed.",
            _ => "This API key's videos are paused by an operator; the video waits until they are resumed.",
        };

    private async Task<string?> NoteAsync(Job job, Outlook outlook, CancellationToken cancellationToken)
    {
        if (await models.FindAsync(job.Spec.Model, cancellationToken) is not { } model)
        {
            return null;
        }

        return outlook.IsServed && job.State == JobState.Queued && model.WholeWorkers == 0
                ? $"No worker that is connected has every file of model '{job.Spec.Model}' (see ./farm models); the video may fail."
            : outlook.IsServed ? model.Registration.Note
            : model.LiveWorkers == 0 ? $"No worker with model '{job.Spec.Model}' is connected now; the video waits for one."
            : job.VramClass == 0
                ? $"Every worker with model '{job.Spec.Model}' is being drained or in quarantine; the video waits for one that takes jobs."
            : $"No worker with model '{job.Spec.Model}' and a card of {job.VramClass} GiB or more takes jobs now; the video waits for one.";
    }
}
