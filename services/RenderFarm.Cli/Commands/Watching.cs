using RenderFarm.Cli.Http;
using RenderFarm.Cli.Showing;
using Spectre.Console;

namespace RenderFarm.Cli.Commands;

/// <summary>Stays with a video until it is over. Ctrl-C leaves; the video goes on.</summary>
public static class Watching
{
    /// <param name="quiet">Shows nothing on the way.</param>
    /// <exception cref="DetachedException">Ctrl-C.</exception>
    /// <exception cref="FarmException">The video has failed.</exception>
    public static async Task<Video> UntilOverAsync(FarmClient client, string id, IAnsiConsole console, bool quiet, CancellationToken cancellation)
    {
        try
        {
            var finished = quiet
                ? await client.WatchAsync(id, _ => { }, cancellation)
                : await RenderDisplay.RunAsync(console, update => client.WatchAsync(id, update, cancellation));
            return finished.Error is { } error ? throw new FarmException(error.Code, error.Message) : finished;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw new DetachedException(id);
        }
    }
}

/// <summary>The person left; what they left goes on.</summary>
public sealed class DetachedException(string id) : Exception($"{id} goes on without you. Come back: ./farm watch {id}   Stop it: ./farm cancel {id}");
