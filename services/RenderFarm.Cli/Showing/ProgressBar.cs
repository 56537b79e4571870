using RenderFarm.Contracts.Videos;
using RenderFarm.Contracts.Words;
using Spectre.Console;

namespace RenderFarm.Cli.Showing;

/// <summary>One bar at a terminal, with a description that changes.</summary>
internal static class ProgressBar
{
    public static bool Fits(IAnsiConsole console) => console.Profile.Capabilities.Interactive && console.Profile.Out.IsTerminal;

    /// <param name="watch">Moves the bar, 0 to 100, and returns the last state.</param>
    public static Task<T> RunAsync<T>(IAnsiConsole console, Func<ProgressTask, Task<T>> watch) =>
        console
            .Progress()
            .Columns(
                new SpinnerColumn(),
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new PercentageColumn(),
                new ElapsedTimeColumn()
            )
            .StartAsync(progress => watch(progress.AddTask(Word.Of(VideoStatus.Queued), maxValue: 100)));
}
