namespace RenderFarm.Worker.Polling;

/// <summary>Slots asking for work: 1400 to 1499.</summary>
internal static partial class PollingLog
{
    [LoggerMessage(1400, LogLevel.Warning, "Slot {Slot} is closed: {Reason}")]
    public static partial void SlotClosed(this ILogger log, string slot, string reason);

    [LoggerMessage(1401, LogLevel.Information, "Slot {Slot} is open again")]
    public static partial void SlotOpenAgain(this ILogger log, string slot);

    [LoggerMessage(1402, LogLevel.Warning, "The API does not have this worker any more, registering again: {Reason}")]
    public static partial void WorkerUnknown(this ILogger log, string reason);

    [LoggerMessage(1403, LogLevel.Warning, "Slot {Slot} got no answer, next try in {Seconds:0.0} s: {Reason}")]
    public static partial void NoAnswer(this ILogger log, string slot, double seconds, string reason);

    [LoggerMessage(1404, LogLevel.Error, "Slot {Slot} met an unexpected fault, next try in {Seconds:0.0} s")]
    public static partial void SlotFault(this ILogger log, Exception fault, string slot, double seconds);
}
