namespace RenderFarm.Worker.Leases;

/// <summary>Leases in keeping: 2100 to 2199.</summary>
internal static partial class LeaseLog
{
    [LoggerMessage(2100, LogLevel.Warning, "The API says that the lease is lost")]
    public static partial void LeaseLost(this ILogger log);

    [LoggerMessage(2101, LogLevel.Warning, "Renewal failed, next try in {Seconds} s: {Reason}")]
    public static partial void RenewalFailed(this ILogger log, double seconds, string reason);

    [LoggerMessage(2102, LogLevel.Warning, "No renewal got through in time: the lease counts as lost")]
    public static partial void LeaseOverdue(this ILogger log);
}
