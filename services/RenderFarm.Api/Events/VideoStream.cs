using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Forecasts;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Events;

/// <summary>
/// The events of one video as they come: first those of the log after the client's place, then the newest progress, then
/// everything new until the video has ended. Without a word from anybody it looks at the row every few seconds.
/// </summary>
internal sealed class VideoStream(EventHub hub, EventLog log, JobStore jobs, QueueForecast forecast, TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(3);

    /// <summary>A client comes back after this long; so a key that was revoked does not listen for ever.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(30);

    /// <param name="after">The client's place: 0 for everything there is.</param>
    public async Task SendAsync(
        Job job,
        JobScope scope,
        long after,
        bool previews,
        ServerSentEvents stream,
        CancellationToken cancellationToken
    )
    {
        // Listening starts before the log is read, so that nothing falls in between
        using var watcher = hub.Watch(scope, job.Id);
        var began = time.GetTimestamp();
        var (place, shown, quiet) = (after, (Stage: (RenderStage?)null, Step: 0), 0);
        var heard = new Heard(Events: true, TimeUp: true, hub.NewestOf(job.Id) is { } newest ? [newest] : []);
        while (time.GetElapsedTime(began) < Longest)
        {
            if (previews)
            {
                hub.WishForPreview(job.Id);
            }

            var sent = 0;
            if (heard.Events)
            {
                foreach (var told in await log.OfJobAsync(job.Id, place, cancellationToken))
                {
                    await stream.SendAsync(Word.Of(told.Event.Type), Videos.Video.Of(told.Job), told.Event.Position);
                    (place, shown, sent) = (told.Event.Position, (null, 0), sent + 1);
                }

                if (
                    await jobs.GetAsync(job.Id, scope, cancellationToken) is not { } now
                    || await IsOverAsync(now, place, cancellationToken)
                )
                {
                    return;
                }

                job = now;
            }

            // Progress does not overtake the event that it follows
            if (shown.Stage is null && await log.IsBehindAsync(job.Id, cancellationToken))
            {
                heard = await watcher.NextAsync(LookEvery, time, cancellationToken) with { Events = true };
                if (heard.Progress.Count == 0 && hub.NewestOf(job.Id) is { } held)
                {
                    heard = heard with { Progress = [held] };
                }

                continue;
            }

            foreach (var notice in heard.Progress.Where(notice => notice.Fence >= job.Fence))
            {
                job = VideoProgress.Applied(job, notice);
                sent += await ShowAsync(job);
                if (previews && notice is { Preview: { Length: > 0 } picture, PreviewType: { } type })
                {
                    await stream.SendAsync(Word.Of(VideoNotice.Preview), new VideoPreview(job.Id, notice.Step, type, picture));
                }
            }

            if (heard.TimeUp && job.State is JobState.Rendering or JobState.Uploading)
            {
                sent += await ShowAsync(job);
            }

            quiet = sent > 0 ? 0 : quiet + 1;
            if (quiet * LookEvery >= ServerSentEvents.KeepAlive)
            {
                await stream.StillThereAsync();
                quiet = 0;
            }

            heard = await watcher.NextAsync(LookEvery, time, cancellationToken);
        }

        async Task<int> ShowAsync(Job seen)
        {
            // The row may be behind what a notice has told already
            if (shown.Stage is { } stage && (seen.Stage, seen.Step).CompareTo((stage, shown.Step)) <= 0)
            {
                return 0;
            }

            shown = (seen.Stage, seen.Step);
            await stream.SendAsync(
                Word.Of(VideoNotice.Progress),
                VideoProgress.Of(seen, (await forecast.OfAsync(seen, cancellationToken)).Seconds)
            );
            return 1;
        }
    }

    /// <summary>Ended, and the client has been told of the ending: there is nothing left to wait for.</summary>
    public async Task<bool> IsOverAsync(Job job, long place, CancellationToken cancellationToken) =>
        job.FinishedAt is not null
        && place > 0
        && (await log.OfJobAsync(job.Id, place - 1, cancellationToken)) is [{ Event: { IsEnding: true } last }]
        && last.Position == place;
}
