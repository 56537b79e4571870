using System.Buffers;

namespace RenderFarm.Jobs.Intake;

/// <summary>Ids that sort by the time they were made and can't be guessed: 48 bits of milliseconds, 74 random ones.</summary>
public static class JobIds
{
    public const string Prefix = "video_";
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
}
