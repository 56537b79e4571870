namespace RenderFarm.Jobs.Loops;

/// <summary>Between two passes of a loop.</summary>
internal static class LoopPause
{
    /// <summary>False when the pause was cut short because the loop is to stop.</summary>
    public static async Task<bool> ForAsync(TimeSpan pause, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await Task.Delay(pause, time, cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
