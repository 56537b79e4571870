using System.Text;

namespace RenderFarm.Wan.TextEncoder.Cleaning;

/// <summary>
/// Unicode normalisation form C. Our own, because .NET hands strings back unchanged when it runs without ICU, as this farm
/// does (<c>InvariantGlobalization</c>): bare machines have none, and results may not depend on which one there is.
/// </summary>
internal static class CanonicalComposition
{
    // Hangul syllables are composed by arithmetic (Unicode, section 3.12).
    private const int SBase = 0xAC00;
    private const int LBase = 0x1100;
    private const int VBase = 0x1161;
    private const int TBase = 0x11A7;
    private const int LCount = 19;
    private const int VCount = 21;
    private const int TCount = 28;
    private const int SCount = LCount * VCount * TCount;

    /// <summary>Below this everything is its own normal form and combines with nothing before it.</summary>
    private const char FirstAffected = '\u0300';

    private static readonly Dictionary<int, int> Classes = [];
    private static readonly Dictionary<int, int[]> Decompositions = [];
    private static readonly Dictionary<(int First, int Second), int> Compositions = [];

    static CanonicalComposition()
    {
        foreach (var line in UnicodeTable.Lines("canonical.txt"))
        {
            if (line.Split(' ') is [var range, var combiningClass])
            {
                var ends = range.Split('-');
                for (var code = UnicodeTable.Code(ends[0]); code <= UnicodeTable.Code(ends[1]); code++)
                {
                    Classes.Add(code, int.Parse(combiningClass, System.Globalization.CultureInfo.InvariantCulture));
                }

                continue;
            }

            var at = line.AsSpan().IndexOfAny('=', '>');
            var (whole, parts) = (UnicodeTable.Code(line.AsSpan(0, at)), UnicodeTable.Codes(line[(at + 1)..]));
            Decompositions.Add(whole, parts);
            if (line[at] == '=')
            {
                Compositions.Add((parts[0], parts[1]), whole);
            }
        }
    }

    public static string Compose(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange('\0', (char)(FirstAffected - 1)))
        {
            return text;
        }

        var codes = new List<int>(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(rune.Value, codes);
        }

        Reorder(codes);
        Recompose(codes);
        var composed = new StringBuilder(text.Length);
        foreach (var code in codes)
        {
            composed.Append(new Rune(code).ToString());
        }

        return composed.ToString();
    }

    private static void Decompose(int code, List<int> into)
    {
        if (code - SBase is >= 0 and < SCount and var syllable)
        {
            into.Add(LBase + syllable / (VCount * TCount));
            into.Add(VBase + syllable % (VCount * TCount) / TCount);
            if (syllable % TCount is > 0 and var tail)
            {
                into.Add(TBase + tail);
            }
        }
        else if (Decompositions.TryGetValue(code, out var parts))
        {
            foreach (var part in parts)
            {
                Decompose(part, into);
            }
        }
        else
        {
            into.Add(code);
        }
    }

    /// <summary>Sorts every run of marks by class, keeping the order of equals.</summary>
    private static void Reorder(List<int> codes)
    {
        for (var start = 0; start < codes.Count; start++)
        {
            if (Class(codes[start]) == 0)
            {
                continue;
            }

            var end = start;
            while (end < codes.Count && Class(codes[end]) != 0)
            {
                end++;
            }

            if (end - start > 1)
            {
                var sorted = codes[start..end].OrderBy(Class).ToList(); // Stable
                for (var i = start; i < end; i++)
                {
                    codes[i] = sorted[i - start];
                }
            }

            start = end;
        }
    }

    private static void Recompose(List<int> codes)
    {
        var (written, starter, lastClass) = (0, -1, 0);
        foreach (var code in codes.ToArray())
        {
            var combiningClass = Class(code);
            // A mark is blocked from its starter by one of the same or a higher class between them; a starter by anything.
            var reachable = starter >= 0 && (starter == written - 1 || (lastClass < combiningClass && lastClass != 0));
            if (reachable && Pair(codes[starter], code) is { } whole)
            {
                codes[starter] = whole;
                continue;
            }

            if (combiningClass == 0)
            {
                starter = written;
            }

            lastClass = combiningClass;
            codes[written++] = code;
        }

        codes.RemoveRange(written, codes.Count - written);
    }

    private static int? Pair(int first, int second)
    {
        if (first - LBase is >= 0 and < LCount and var lead && second - VBase is >= 0 and < VCount and var vowel)
        {
            return SBase + (lead * VCount + vowel) * TCount;
        }

        if (
            first - SBase is >= 0 and < SCount and var syllable
            && syllable % TCount == 0
            && second - TBase is > 0 and < TCount and var tail
        )
        {
            return SBase + syllable + tail;
        }

        return Compositions.TryGetValue((first, second), out var whole) ? whole : null;
    }

    private static int Class(int code) => Classes.GetValueOrDefault(code);
}
