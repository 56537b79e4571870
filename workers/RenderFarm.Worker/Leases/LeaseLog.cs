namespace RenderFarm.Worker.Leases;

/// <summary>Leases in keeping: 2100 to 2199.</summary>
internal static partial class LeaseLog
{
    [LoggerMessage(2100, LogLevel.Warning, "The API says that the lease is lost")]
    public static partial void LeaseLost(this ILogger log);

    [LoggerMessage(2101, LogLevel.Warning, "Renewal failed and is tried again every {Seconds} s: {Reason}")]
    public static partial void RenewalFailed(this ILogger log, double seconds, string reason);

    [LoggerMessage(2102, LogLevel.Warning, "The lease was never confirmed: it is given up")]
    public static partial void LeaseNeverConfirmed(this ILogger log);

    [LoggerMessage(2103, LogLevel.Warning, "The lease has run out unrenewed: the render goes on for {Minutes:0.0} minutes without the API")]
    public static partial void Orphaned(this ILogger log, double minutes);

    [LoggerMessage(2104, LogLevel.Warning, "No renewal got through for {Minutes:0.0} min (Worker:OrphanMinutes): the render is given up")]
    public static partial void OrphanedTooLong(this ILogger log, double minutes);

    [LoggerMessage(2105, LogLevel.Warning, "The API says that this worker's key is revoked")]
    public static partial void KeyRevoked(this ILogger log);

    [LoggerMessage(2106, LogLevel.Information, "The lease is renewed again")]
    public static partial void RenewsAgain(this ILogger log);
}
