namespace RenderFarm.Worker.Slots;

/// <summary>Cards and slots: 1500 to 1599.</summary>
internal static partial class SlotLog
{
    [LoggerMessage(1500, LogLevel.Information, "No cards ({Reason}): this worker has one CPU slot")]
    public static partial void NoCards(this ILogger log, string reason);

    [LoggerMessage(1502, LogLevel.Error, "Slot {Slot} is quarantined: {Reason}")]
    public static partial void Quarantined(this ILogger log, string slot, string? reason);

    [LoggerMessage(1503, LogLevel.Information, "Slot {Slot}: the memory is back, the quarantine is over")]
    public static partial void QuarantineOver(this ILogger log, string slot);
}
