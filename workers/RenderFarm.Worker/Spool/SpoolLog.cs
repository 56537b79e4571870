using RenderFarm.Contracts.Videos;

namespace RenderFarm.Worker.Spool;

/// <summary>Finished videos and their upload: 2500 to 2599.</summary>
internal static partial class SpoolLog
{
    [LoggerMessage(2500, LogLevel.Information, "Resuming the upload of {Job} under fence {Fence}")]
    public static partial void UploadResumed(this ILogger log, string job, long fence);

    [LoggerMessage(2501, LogLevel.Warning, "{Entry} in the spool has no readable manifest and is removed: {Reason}")]
    public static partial void EntryRemoved(this ILogger log, string entry, string reason);

    [LoggerMessage(2502, LogLevel.Error, "{Entry} in the spool can't be read, and is tried again within the hour: {Reason}")]
    public static partial void EntryUnreadable(this ILogger log, string entry, string reason);

    [LoggerMessage(2503, LogLevel.Information, "{Entry} stays in the spool for the next start")]
    public static partial void EntryStays(this ILogger log, string entry);

    [LoggerMessage(2504, LogLevel.Error, "{Entry} stays in the spool for another try within the hour: its upload met an unexpected fault")]
    public static partial void UploadFault(this ILogger log, Exception fault, string entry);

    [LoggerMessage(2505, LogLevel.Warning, "The fence has lost: the finished video is discarded")]
    public static partial void FenceLost(this ILogger log);

    [LoggerMessage(2506, LogLevel.Warning, "{File} can't be stored, next try in {Seconds:0} s: {Reason}")]
    public static partial void StoreAway(this ILogger log, string file, double seconds, string reason);

    [LoggerMessage(2507, LogLevel.Information, "The job is now {State}")]
    public static partial void UploadReported(this ILogger log, JobState state);

    [LoggerMessage(2508, LogLevel.Error, "The API refuses the finished video: {Reason}")]
    public static partial void VideoRefused(this ILogger log, string reason);

    [LoggerMessage(2509, LogLevel.Error, "The API refuses every ending, the video is discarded: {Reason}")]
    public static partial void EndingsRefused(this ILogger log, string reason);

    [LoggerMessage(2511, LogLevel.Warning, "The API has no such job: {Entry} is kept for {Days:0} days and offered again every hour")]
    public static partial void JobUnknown(this ILogger log, string entry, double days);

    [LoggerMessage(2512, LogLevel.Warning, "{Entry} was never claimed and is removed")]
    public static partial void NeverClaimed(this ILogger log, string entry);

    [LoggerMessage(2510, LogLevel.Warning, "The upload can't be reported, next try in {Seconds:0.0} s: {Reason}")]
    public static partial void UploadUnreported(this ILogger log, double seconds, string reason);
}
