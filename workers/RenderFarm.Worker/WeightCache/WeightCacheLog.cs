namespace RenderFarm.Worker.WeightCache;

/// <summary>Prepared weights: 2300 to 2399.</summary>
internal static partial class WeightCacheLog
{
    [LoggerMessage(
        2306,
        LogLevel.Warning,
        "The prepared weights of {Model} ({Size}) don't fit {First} ({Room} there): they are kept in {Files}, written once at the speed of "
            + "that disk, and page-locked from there; after the system has dropped them they are read again"
    )]
    public static partial void WeightsOnDisk(this ILogger log, string model, string size, string first, string room, string files);

    [LoggerMessage(2300, LogLevel.Debug, "Weight cache: {Finding}")]
    public static partial void WeightsWhole(this ILogger log, string finding);

    [LoggerMessage(2301, LogLevel.Warning, "Weight cache: {Finding}")]
    public static partial void WeightsDamaged(this ILogger log, string finding);

    [LoggerMessage(2302, LogLevel.Information, "Weight cache {Root}: checked in {Seconds:0.0} s, holds {Models}")]
    public static partial void WeightCacheChecked(this ILogger log, string root, double seconds, IEnumerable<string> models);

    [LoggerMessage(2303, LogLevel.Warning, "Weight cache {Root}: the check ended with code {Code}: {LastWords}")]
    public static partial void WeightCacheCheckFailed(this ILogger log, string root, int code, string lastWords);

    [LoggerMessage(
        2304,
        LogLevel.Warning,
        "Weight cache {Root}: the check says nothing and is left; renderers still refuse weights that were never finished"
    )]
    public static partial void WeightCacheCheckSilent(this ILogger log, string root);
}
