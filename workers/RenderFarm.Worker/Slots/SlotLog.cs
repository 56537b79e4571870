namespace RenderFarm.Worker.Slots;

/// <summary>Cards and slots: 1500 to 1599.</summary>
internal static partial class SlotLog
{
    [LoggerMessage(1500, LogLevel.Information, "No cards ({Reason}): this worker has one CPU slot")]
    public static partial void NoCards(this ILogger log, string reason);

    [LoggerMessage(1501, LogLevel.Warning, "{Reason}")]
    public static partial void CardMissed(this ILogger log, string reason);

    [LoggerMessage(1502, LogLevel.Error, "Slot {Slot} is quarantined: {Reason}")]
    public static partial void Quarantined(this ILogger log, string slot, string? reason);

    [LoggerMessage(1503, LogLevel.Information, "Slot {Slot}: the memory is back, the quarantine is over")]
    public static partial void QuarantineOver(this ILogger log, string slot);

    [LoggerMessage(
        1504,
        LogLevel.Information,
        "The driver does not tell of its cards' errors (Xid): a card that fails is found by its jobs"
    )]
    public static partial void CardErrorsUntold(this ILogger log);

    [LoggerMessage(1505, LogLevel.Information, "The driver reported Xid {Xid} of {Slot}, which says nothing against the card")]
    public static partial void CardErrorPassedOver(this ILogger log, long xid, string slot);

    [LoggerMessage(1506, LogLevel.Information, "Slot {Slot} is resumed: what was held against it is forgotten")]
    public static partial void Resumed(this ILogger log, string slot);

    [LoggerMessage(
        1507,
        LogLevel.Error,
        "{File} can't be written ({Reason}): after its next start this worker would not know which cards have failed"
    )]
    public static partial void CardErrorsNotKept(this ILogger log, string file, string reason);
}
