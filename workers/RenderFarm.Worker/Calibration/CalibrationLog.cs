namespace RenderFarm.Worker.Calibration;

/// <summary>What devices can do, and how fast: 2700 to 2799.</summary>
internal static partial class CalibrationLog
{
    [LoggerMessage(
        2700,
        LogLevel.Information,
        "{Slot} ({Card}): plans are timed with {Rates}; fp8 products {Fp8}, eight-bit attention {Attention}"
    )]
    public static partial void Probed(this ILogger log, string slot, string card, string rates, string fp8, string attention);

    [LoggerMessage(2701, LogLevel.Warning, "{Slot} ({Card}) could not be looked at: {Reason}. Its plans use no eight bits until it was")]
    public static partial void NotProbed(this ILogger log, string slot, string card, string reason);

    [LoggerMessage(2702, LogLevel.Error, "{Slot} ({Card}) takes no jobs: {Reason}")]
    public static partial void CannotRender(this ILogger log, string slot, string card, string reason);

    [LoggerMessage(2703, LogLevel.Information, "{Slot} ({Card}) is measured; a job that comes meanwhile ends it")]
    public static partial void Measuring(this ILogger log, string slot, string card);

    [LoggerMessage(2704, LogLevel.Information, "{Slot} ({Card}) was measured in {Seconds:0.0} s: {Rates}")]
    public static partial void Measured(this ILogger log, string slot, string card, double seconds, string rates);

    [LoggerMessage(2705, LogLevel.Information, "{Slot}: measuring gave way to a job after {Seconds:0.0} s, and goes on when idle")]
    public static partial void GaveWay(this ILogger log, string slot, double seconds);

    [LoggerMessage(2707, LogLevel.Warning, "{Slot}, {Subject}: {Finding}")]
    public static partial void WayRound(this ILogger log, string slot, string subject, string finding);

    [LoggerMessage(2706, LogLevel.Warning, "{Slot} ({Card}) was not measured, next try in {Minutes:0} minutes: {Reason}")]
    public static partial void NotMeasured(this ILogger log, string slot, string card, double minutes, string reason);
}
