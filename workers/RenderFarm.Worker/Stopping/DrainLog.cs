namespace RenderFarm.Worker.Stopping;

/// <summary>The drain: 1100 to 1199.</summary>
internal static partial class DrainLog
{
    [LoggerMessage(1100, LogLevel.Information, "Draining: no new jobs; what runs may finish within {Seconds:0} s")]
    public static partial void Draining(this ILogger log, double seconds);

    [LoggerMessage(1101, LogLevel.Information, "Asked again: handing back what still runs")]
    public static partial void HandingBack(this ILogger log);
}
