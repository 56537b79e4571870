namespace RenderFarm.Worker.Bells;

/// <summary>The broker: 1300 to 1399.</summary>
internal static partial class BellLog
{
    [LoggerMessage(1300, LogLevel.Information, "Listening for bells of classes {Classes}")]
    public static partial void ListeningForBells(this ILogger log, IEnumerable<string> classes);

    [LoggerMessage(1301, LogLevel.Warning, "No bells: {Reason}")]
    public static partial void NoBells(this ILogger log, string reason);

    [LoggerMessage(1302, LogLevel.Information, "Stopped before the broker was reached")]
    public static partial void BrokerNeverReached(this ILogger log);

    [LoggerMessage(1303, LogLevel.Warning, "The broker connection did not close in order: {Reason}")]
    public static partial void BrokerCloseFailed(this ILogger log, string reason);

    [LoggerMessage(1304, LogLevel.Debug, "Bell for {Job} of class {Class}")]
    public static partial void BellHeard(this ILogger log, string job, string @class);

    [LoggerMessage(1305, LogLevel.Information, "Cancellation of {Job} under fence {Fence}: {Held}")]
    public static partial void CancellationHeard(this ILogger log, string job, long fence, string held);
}
