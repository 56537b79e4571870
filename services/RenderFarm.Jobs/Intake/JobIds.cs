using System.Buffers;
using System.Globalization;

namespace RenderFarm.Jobs.Intake;

/// <summary>Ids that sort by the time they were made and can't be guessed: 48 bits of milliseconds, 74 random ones.</summary>
public static class JobIds
{
    public const string Prefix = "video_";

    /// <summary>Digits of its time.</summary>
    private const int TimeLength = 12;
    private static readonly SearchValues<char> Digits = SearchValues.Create("0123456789abcdef");

    public static string New(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return Prefix + Guid.CreateVersion7(time.GetUtcNow()).ToString("N");
    }

    /// <summary>Whether the text has the form of an id; a job of that id need not exist.</summary>
    public static bool IsId(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.StartsWith(Prefix, StringComparison.Ordinal)
            && text.Length == Prefix.Length + 32
            && text.AsSpan(Prefix.Length).IndexOfAnyExcept(Digits) < 0;
    }

    /// <summary>Sorts before every id that is made at that time or later.</summary>
    public static string FirstAt(DateTimeOffset time) => Prefix + TimeDigits(time) + new string('0', 32 - TimeLength);

    /// <summary>Sorts after every id of the same moment as this one, or before, for those who walk back.</summary>
    public static string EndOfMoment(string id, bool ascending)
    {
        ArgumentNullException.ThrowIfNull(id);
        return string.Concat(id.AsSpan(0, Prefix.Length + TimeLength), new string(ascending ? 'f' : '0', 32 - TimeLength));
    }

    private static string TimeDigits(DateTimeOffset time) =>
        Math.Clamp(time.ToUnixTimeMilliseconds(), 0, (1L << 48) - 1).ToString("x12", CultureInfo.InvariantCulture);
}
