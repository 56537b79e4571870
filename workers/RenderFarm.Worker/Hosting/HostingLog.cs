namespace RenderFarm.Worker.Hosting;

/// <summary>Start and end of the worker: 1000 to 1099.</summary>
internal static partial class HostingLog
{
    [LoggerMessage(1000, LogLevel.Information, "Metrics at {Addresses}")]
    public static partial void MetricsAt(this ILogger log, IEnumerable<string> addresses);

    [LoggerMessage(1001, LogLevel.Information, "Waiting for {Count} uploads")]
    public static partial void WaitingForUploads(this ILogger log, int count);

    [LoggerMessage(1002, LogLevel.Information, "Drained")]
    public static partial void Drained(this ILogger log);
}
