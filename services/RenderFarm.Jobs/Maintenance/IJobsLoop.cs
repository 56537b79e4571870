namespace RenderFarm.Jobs.Maintenance;

/// <summary>Something that runs beside the API until it stops. The host starts every one of them.</summary>
public interface IJobsLoop
{
    /// <summary>Returns when <paramref name="stop"/> asks for it; outages of store and broker are its own affair.</summary>
    Task RunAsync(CancellationToken stop);
}

internal static class Loops
{
    /// <summary>False when the pause was cut short because the loop is to stop.</summary>
    public static async Task<bool> PauseAsync(TimeSpan pause, TimeProvider time, CancellationToken stop)
    {
        try
        {
            await Task.Delay(pause, time, stop);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
