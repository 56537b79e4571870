namespace RenderFarm.Api.Hosting;

/// <summary>
/// The end of the process, in time. A connection to a server that has ceased to read can't be closed in order (a broker without memory
/// reads nothing of whoever publishes): what still waits for it is left to the system.
/// </summary>
internal static class Ending
{
    /// <summary>From the word to stop. The host has five seconds of it for what is in hand.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(8);

    /// <summary>Serves until told to stop, stops, and closes what was open.</summary>
    public static async Task ServeToTheEndAsync(this WebApplication app)
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stopping = app.Lifetime.ApplicationStopping.Register(() => told.TrySetResult());
        var running = ServeAndCloseAsync(app);
        await Task.WhenAny(running, told.Task);
        if (await Task.WhenAny(running, Task.Delay(Longest, CancellationToken.None)) == running)
        {
            await running;
            return;
        }

        await Console.Error.WriteLineAsync($"renderfarm-api: ends with connections that could not be closed in {Longest.TotalSeconds} s");
    }

    private static async Task ServeAndCloseAsync(WebApplication app)
    {
        await using (app)
        {
            await app.ServeAsync();
        }
    }
}
