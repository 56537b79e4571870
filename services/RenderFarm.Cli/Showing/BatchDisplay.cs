using System.Text.Json;
using RenderFarm.Cli.Http;
using Spectre.Console;

namespace RenderFarm.Cli.Showing;

/// <summary>Shows a batch on its way: a bar at a terminal, a line for each change elsewhere.</summary>
internal static class BatchDisplay
{
    /// <param name="watch">Reports every state of the batch, and returns the last one.</param>
    public static async Task<(JsonElement Answer, BatchStatus Batch)> RunAsync(
        IAnsiConsole console,
        bool quiet,
        Func<Action<BatchStatus>, Task<(JsonElement Answer, BatchStatus Batch)>> watch
    )
    {
        if (quiet)
        {
            return await watch(_ => { });
        }

        if (ProgressBar.Fits(console))
        {
            return await ProgressBar.RunAsync(
                console,
                bar => watch(batch => (bar.Description, bar.Value) = (Markup.Escape(batch.Counts.ToString()), batch.Progress))
            );
        }

        var last = "";
        return await watch(batch =>
        {
            var now = batch.Counts.ToString();
            if (now != last)
            {
                console.Say($"{batch.Progress,3} %  {last = now}");
            }
        });
    }
}
