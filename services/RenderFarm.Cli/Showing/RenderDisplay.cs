using System.Globalization;
using RenderFarm.Cli.Http;
using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using Spectre.Console;

namespace RenderFarm.Cli.Showing;

/// <summary>Shows a render on its way: a bar at a terminal, a line for each change elsewhere.</summary>
internal static class RenderDisplay
{
    /// <param name="watch">Reports every state of the video, and returns the last one.</param>
    public static Task<Video> RunAsync(IAnsiConsole console, Func<Action<Video>, Task<Video>> watch) =>
        ProgressBar.Fits(console)
            ? ProgressBar.RunAsync(
                console,
                bar => watch(video => (bar.Description, bar.Value) = (Markup.Escape(Describe(video)), video.Progress))
            )
            : LinesAsync(console, watch);

    private static async Task<Video> LinesAsync(IAnsiConsole console, Func<Action<Video>, Task<Video>> watch)
    {
        var last = "";
        return await watch(video =>
        {
            // The ETA moves all the time: a line is worth printing when something else has changed.
            var now = Describe(video with { EtaSeconds = null });
            if (now == last)
            {
                return;
            }

            last = now;
            console.Say($"{video.Progress,3} %  {Describe(video)}");
        });
    }

    /// <summary><c>denoising, step 3 of 8, about 12 s left</c>.</summary>
    public static string Describe(Video video)
    {
        var words = new List<string> { video.Status == VideoStatus.Failed ? Word.Of(video.Status) : video.Stage.Replace('_', ' ') };
        if (video.Stage == Word.Of(RenderStage.Denoising))
        {
            words.Add($"step {video.Step} of {video.Steps}");
        }

        if (video.Status == VideoStatus.Queued && video.QueuePosition is > 1)
        {
            words.Add($"number {video.QueuePosition} in the queue");
        }

        if (video.Attempt > 1)
        {
            words.Add($"attempt {video.Attempt}");
        }

        if (video is { IsOver: false, EtaSeconds: { } eta })
        {
            words.Add($"about {Duration(TimeSpan.FromSeconds(eta))} left");
        }

        return string.Join(", ", words);
    }

    public static string Duration(TimeSpan time) =>
        time.TotalMinutes < 1.5 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalSeconds):0} s")
        : time.TotalHours < 1.5 ? string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(time.TotalMinutes):0} min")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:0.0} h");
}
