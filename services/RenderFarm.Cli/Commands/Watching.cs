using System.Text.Json;
using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>Stays with a video until it is over. Ctrl-C leaves; the video goes on.</summary>
internal static class Watching
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <param name="quiet">Shows nothing on the way, and no warning.</param>
    /// <exception cref="DetachedException">Ctrl-C.</exception>
    /// <exception cref="FarmException">The video has failed.</exception>
    public static async Task<Video> UntilOverAsync(
        FarmClient client,
        string id,
        IAnsiConsole console,
        bool quiet,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var finished = quiet
                ? await client.WatchAsync(id, _ => { }, cancellationToken)
                : await RenderDisplay.RunAsync(console, update => client.WatchAsync(id, update, cancellationToken));
            if (finished.Error is { } error)
            {
                throw new FarmException(error.Code, error.Message);
            }

            if (!quiet && finished.Warning is { } warning)
            {
                console.Say($"Warning: {warning}");
            }

            return finished;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new DetachedException(id);
        }
    }

    /// <summary>The same for a batch. Ends with a failure where any of its videos did.</summary>
    public static async Task<int> BatchUntilOverAsync(
        FarmClient client,
        string id,
        IAnsiConsole console,
        TimeProvider time,
        bool asJson,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var path = $"batches/{Uri.EscapeDataString(id)}";
            var last = await BatchDisplay.RunAsync(
                console,
                quiet: asJson,
                async update =>
                {
                    while (true)
                    {
                        var answer = await client.GetJsonAsync(path, cancellationToken);
                        var batch = answer.Deserialize(FarmJson.Default.BatchStatus)!;
                        update(batch);
                        if (batch.IsOver)
                        {
                            return (answer, batch);
                        }

                        await Task.Delay(LookEvery, time, cancellationToken);
                    }
                }
            );
            console.Say(asJson ? JsonSwitch.Line(last.Answer) : $"{id}  {last.Batch.Counts}");
            return last.Batch.Counts.Completed == last.Batch.Total ? 0 : ExitCodes.Failure;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new DetachedException(id);
        }
    }
}

/// <summary>The person left; what they left goes on.</summary>
internal sealed class DetachedException(string id)
    : Exception($"{id} goes on without you. Come back: ./farm watch {id}   Stop it: ./farm cancel {id}");
