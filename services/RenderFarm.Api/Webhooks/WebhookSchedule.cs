namespace RenderFarm.Api.Webhooks;

/// <summary>When a delivery that failed is tried again: growing pauses for a day.</summary>
internal static class WebhookSchedule
{
    private static readonly TimeSpan[] Pauses =
    [
        TimeSpan.FromSeconds(5),
        TimeSpan.FromSeconds(30),
        TimeSpan.FromMinutes(2),
        TimeSpan.FromMinutes(10),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(1),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(4),
        TimeSpan.FromHours(8),
        TimeSpan.FromHours(8),
    ];

    /// <param name="tries">Made so far, the failed one included.</param>
    /// <param name="status">The answer; null when there was none.</param>
    /// <param name="jitter">In [0, 1): spreads receivers that failed together over a tenth of the pause.</param>
    /// <returns>Null: given up.</returns>
    public static TimeSpan? After(int tries, int? status, double jitter) =>
        // Gone: the receiver asks never to be told again.
        status == StatusCodes.Status410Gone
        || tries > Pauses.Length
            ? null
            : Pauses[tries - 1] * (1 + (jitter / 10));
}
