namespace RenderFarm.Planning.Stages;

/// <summary>One way to run a stage.</summary>
/// <param name="PeakBytes">Of the whole process while the stage runs.</param>
internal sealed record StageOption<TChoice>(TChoice Choice, long PeakBytes, double Seconds);

internal static class StageOptions
{
    /// <summary>The fastest that stays within the budget, the leaner of equals; null when none does.</summary>
    public static StageOption<T>? Fastest<T>(this IEnumerable<StageOption<T>> options, long budget)
    {
        StageOption<T>? best = null;
        foreach (var option in options)
        {
            if (option.PeakBytes > budget)
            {
                continue;
            }

            if (best is null || (option.Seconds, option.PeakBytes).CompareTo((best.Seconds, best.PeakBytes)) < 0)
            {
                best = option;
            }
        }
        return best;
    }
}
