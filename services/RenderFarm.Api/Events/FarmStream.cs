using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Forecasts;
using RenderFarm.Jobs.Users;

namespace RenderFarm.Api.Events;

/// <summary>The events of all videos that a key may see, from the client's place on, and the progress of those under way.</summary>
internal sealed class FarmStream(EventHub hub, EventLog log, JobStore jobs, QueueForecast forecast, TimeProvider time)
{
    public async Task SendAsync(JobScope scope, long? after, ServerSentEvents stream, CancellationToken cancellationToken)
    {
        using var watcher = hub.Watch(scope, null);
        var began = time.GetTimestamp();
        var place = after ?? await log.EndAsync(cancellationToken);
        var running = new Dictionary<string, Job>();
        var heard = new Heard(Events: true, TimeUp: true, []);
        while (time.GetElapsedTime(began) < VideoStream.Longest)
        {
            while (heard.Events && await log.OfScopeAsync(scope, place, cancellationToken) is { Count: > 0 } news)
            {
                foreach (var told in news)
                {
                    await stream.SendAsync(Word.Of(told.Event.Type), Videos.Video.Of(told.Job), told.Event.Position);
                    place = told.Event.Position;
                    running.Remove(told.Job.Id);
                }
            }

            foreach (var notice in heard.Progress)
            {
                if (running.GetValueOrDefault(notice.JobId) is not { } job || job.Fence < notice.Fence)
                {
                    job = await jobs.GetAsync(notice.JobId, scope, cancellationToken);
                }

                if (job is { FinishedAt: null } && job.Fence == notice.Fence)
                {
                    running[job.Id] = VideoProgress.Applied(job, notice);
                    await stream.SendAsync(
                        Word.Of(VideoNotice.Progress),
                        VideoProgress.Of(running[job.Id], (await forecast.OfAsync(running[job.Id], cancellationToken)).Seconds)
                    );
                }
            }

            if (heard.TimeUp)
            {
                await stream.StillThereAsync();
            }

            heard = await watcher.NextAsync(ServerSentEvents.KeepAlive, time, cancellationToken);
        }
    }
}
