using System.Globalization;

namespace RenderFarm.Contracts.Words;

/// <summary>A length of time as people write it: <c>90s</c>, <c>30m</c>, <c>12h</c>, <c>7d</c>.</summary>
public static class Age
{
    private const int MostDays = 36_500;

    /// <summary>What <see cref="TryParse"/> takes, for whoever wrote something else.</summary>
    public const string Accepted = "a whole number with s, m, h or d, such as 7d";

    public static bool TryParse(string? text, out TimeSpan age)
    {
        age = default;
        if (
            text is not { Length: >= 2 }
            || !int.TryParse(text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || UnitOf(text[^1]) is not { } unit
            || number > TimeSpan.FromDays(MostDays) / unit
        )
        {
            return false;
        }

        age = number * unit;
        return true;
    }

    private static TimeSpan? UnitOf(char letter) =>
        letter switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => null,
        };
}
