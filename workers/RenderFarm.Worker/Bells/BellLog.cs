namespace RenderFarm.Worker.Bells;

/// <summary>The broker: 1300 to 1399.</summary>
internal static partial class BellLog
{
    [LoggerMessage(1300, LogLevel.Information, "Listening to {Queue}")]
    public static partial void Listening(this ILogger log, string queue);

    [LoggerMessage(1304, LogLevel.Debug, "Bell for {Job} of class {Class}")]
    public static partial void BellHeard(this ILogger log, string job, string @class);

    [LoggerMessage(1305, LogLevel.Information, "Cancellation of {Job} under fence {Fence}: {Held}")]
    public static partial void CancellationHeard(this ILogger log, string job, long fence, string held);
}
