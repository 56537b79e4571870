using System.Globalization;
using RenderFarm.Cli.Http;
using Spectre.Console;

namespace RenderFarm.Cli.Showing;

/// <summary>Shows a render on its way: a bar at a terminal, a line for each change elsewhere.</summary>
internal static class RenderDisplay
{
    /// <param name="watch">Reports every state of the video, and returns the last one.</param>
    public static Task<Video> RunAsync(IAnsiConsole console, Func<Action<Video>, Task<Video>> watch) =>
        console.Profile.Capabilities.Interactive && console.Profile.Out.IsTerminal ? BarAsync(console, watch) : LinesAsync(console, watch);

    private static Task<Video> BarAsync(IAnsiConsole console, Func<Action<Video>, Task<Video>> watch) =>
        console
            .Progress()
            .Columns(
                new SpinnerColumn(),
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new ElapsedTimeColumn()
            )
            .StartAsync(async progress =>
            {
                var task = progress.AddTask("queued", maxValue: 100);
                return await watch(video =>
                {
                    task.Description = Markup.Escape(Describe(video));
                    task.Value = video.Progress;
                });
            });

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
        var words = new List<string> { video.Status == "failed" ? "failed" : video.Stage.Replace('_', ' ') };
        if (video.Stage == "denoising")
        {
            words.Add($"step {video.Step} of {video.Steps}");
        }

        if (video.Status == "queued" && video.QueuePosition is > 1)
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
