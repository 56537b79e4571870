namespace RenderFarm.Worker.Encoding;

/// <summary>The video encoder: 2600 to 2699.</summary>
internal static partial class EncodingLog
{
    [LoggerMessage(2600, LogLevel.Error, "{Program} can't write a video, no jobs are taken until it can: {Reason}")]
    public static partial void EncoderRefuses(this ILogger log, string program, string reason);

    [LoggerMessage(2601, LogLevel.Information, "{Program} writes videos again")]
    public static partial void EncoderWorksAgain(this ILogger log, string program);

    [LoggerMessage(2602, LogLevel.Warning, "{Program} makes videos without all of their pictures: {Complaint}")]
    public static partial void NoPictures(this ILogger log, string program, string complaint);

    [LoggerMessage(2603, LogLevel.Warning, "The video encoder could not be tried: {Reason}")]
    public static partial void NotTried(this ILogger log, string reason);
}
