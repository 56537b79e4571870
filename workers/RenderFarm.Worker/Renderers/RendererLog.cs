namespace RenderFarm.Worker.Renderers;

/// <summary>Renderer processes: 2200 to 2299.</summary>
internal static partial class RendererLog
{
    [LoggerMessage(2200, LogLevel.Warning, "The standby renderer of {Slot} has died: {LastWords}")]
    public static partial void StandbyDied(this ILogger log, string slot, string lastWords);

    [LoggerMessage(2201, LogLevel.Warning, "No standby renderer for {Slot}: {Reason}")]
    public static partial void NoStandby(this ILogger log, string slot, string reason);
}
