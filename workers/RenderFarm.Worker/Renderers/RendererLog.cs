namespace RenderFarm.Worker.Renderers;

/// <summary>Renderer processes: 2200 to 2299.</summary>
internal static partial class RendererLog
{
    [LoggerMessage(2200, LogLevel.Warning, "The standby renderer of {Slot} has died: {LastWords}")]
    public static partial void StandbyDied(this ILogger log, string slot, string lastWords);

    [LoggerMessage(2202, LogLevel.Information, "Renderers load the PyTorch {Version} in {Folder}: their own libtorch is built for the CPU")]
    public static partial void PyTorchFound(this ILogger log, string folder, string version);

    [LoggerMessage(2203, LogLevel.Error, "No card of this host can be used: {Lack}. {Remedy}")]
    public static partial void NoPyTorch(this ILogger log, string lack, string remedy);

    [LoggerMessage(2201, LogLevel.Warning, "No standby renderer for {Slot}: {Reason}")]
    public static partial void NoStandby(this ILogger log, string slot, string reason);

    [LoggerMessage(2204, LogLevel.Information, "The standby renderer of {Slot} has {Model} near, after {Seconds:0.00} s")]
    public static partial void Loaded(this ILogger log, string slot, string model, double seconds);

    [LoggerMessage(2205, LogLevel.Debug, "The standby renderer of {Slot} does not get ready for {Model}: {Free} bytes are free")]
    public static partial void NoRoomToLoad(this ILogger log, string slot, string model, long free);
}
