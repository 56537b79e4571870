using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Worker.Attempts;

/// <summary>Attempts: 2000 to 2099.</summary>
internal static partial class AttemptLog
{
    [LoggerMessage(2000, LogLevel.Warning, "Waiting for memory of {Slot}: {Refusal} On it now: {InUse}")]
    public static partial void WaitingForMemory(this ILogger log, string slot, string? refusal, string inUse);

    [LoggerMessage(2001, LogLevel.Information, "Renderer {Process} started for {Seconds:0.0} s predicted")]
    public static partial void RendererStarted(this ILogger log, int process, double seconds);

    [LoggerMessage(2002, LogLevel.Warning, "{Complaint}")]
    public static partial void PictureMissing(this ILogger log, string complaint);

    [LoggerMessage(2003, LogLevel.Error, "The attempt failed on the worker's side")]
    public static partial void AttemptBroke(this ILogger log, Exception fault);

    [LoggerMessage(2004, LogLevel.Information, "Attempt ended: {Outcome}")]
    public static partial void AttemptEnded(this ILogger log, string outcome);

    [LoggerMessage(2005, LogLevel.Warning, "Attempt {Outcome}: {Reason}, {Message}")]
    public static partial void AttemptFailed(this ILogger log, string outcome, FailureReason reason, string message);

    [LoggerMessage(2006, LogLevel.Information, "Reported {Outcome}: the job is now {State}")]
    public static partial void OutcomeReported(this ILogger log, string outcome, JobState state);

    [LoggerMessage(2007, LogLevel.Warning, "{Outcome} was not recorded: the lease is lost")]
    public static partial void OutcomeTooLate(this ILogger log, string outcome);

    [LoggerMessage(2008, LogLevel.Error, "{Outcome} was refused: {Reason}")]
    public static partial void OutcomeRefused(this ILogger log, string outcome, string reason);

    [LoggerMessage(2009, LogLevel.Error, "{Outcome} could not be reported, the lease will run out instead: {Reason}")]
    public static partial void OutcomeUnreported(this ILogger log, string outcome, string reason);

    [LoggerMessage(2010, LogLevel.Error, "The job goes back uncharged, {Slot} is at fault: {Reason}")]
    public static partial void SlotAtFault(this ILogger log, string slot, string reason);
}
