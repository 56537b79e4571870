using System.Text;
using System.Text.RegularExpressions;

namespace RenderFarm.Wan.TextEncoder.Cleaning;

/// <summary>Character references of HTML 5, decoded as Python's <c>html.unescape</c> does and, more carefully, as ftfy does.</summary>
internal static partial class HtmlText
{
    private static readonly Dictionary<string, string> Names = new(StringComparer.Ordinal); // With their ';' where they have one
    private static readonly Dictionary<string, string> Capitals = new(StringComparer.Ordinal);

    /// <summary>What browsers make of references to Windows-1252 bytes 0x80 to 0x9F.</summary>
    private const string Windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008DŽ\u008F\u0090‘’“”•–—˜™š›œ\u009DžŸ";

    static HtmlText()
    {
        foreach (var line in UnicodeTable.Lines("entities.txt"))
        {
            var parts = line.Split(' ');
            var text = string.Concat(UnicodeTable.Codes(parts[1]).Select(code => new Rune(code).ToString()));
            if (parts[0].StartsWith('^'))
            {
                Capitals.Add(parts[0][1..], text);
            }
            else
            {
                Names.Add(parts[0], text);
            }
        }
    }

    /// <summary>Everything a browser would decode, also <c>&amp;amp</c> without its semicolon.</summary>
    public static string Unescape(string text) =>
        text.Contains('&') ? Reference().Replace(text, match => Decode(match.Groups[1].Value)) : text;

    /// <summary>
    /// Only whole references with their semicolon, and names that were put in capitals: safe on text that may not be HTML.
    /// </summary>
    public static string UnescapeWhole(string text) => text.Contains('&') ? WholeReference().Replace(text, DecodeWhole) : text;

    private static string DecodeWhole(Match match)
    {
        var name = match.Value[1..];
        if (Names.TryGetValue(name, out var text) || Capitals.TryGetValue(name, out text))
        {
            return text;
        }

        if (!name.StartsWith('#'))
        {
            return match.Value;
        }

        var decoded = Unescape(match.Value);
        return decoded.Contains(';') ? match.Value : decoded;
    }

    private static string Decode(string name)
    {
        if (name[0] == '#')
        {
            return Numeric(name);
        }

        if (Names.TryGetValue(name, out var text))
        {
            return text;
        }

        for (var length = name.Length - 1; length > 1; length--)
        {
            if (Names.TryGetValue(name[..length], out text))
            {
                return text + name[length..];
            }
        }

        return "&" + name;
    }

    private static string Numeric(string reference)
    {
        var digits = reference.TrimEnd(';').AsSpan(1);
        var radix = digits[0] is 'x' or 'X' ? 16 : 10;
        if (radix == 16)
        {
            digits = digits[1..];
        }

        var code = 0;
        foreach (var digit in digits)
        {
            code = Math.Min(0x110000, code * radix + Convert.ToInt32(digit.ToString(), 16));
        }

        return code switch
        {
            0 or > 0x10FFFF or (>= 0xD800 and <= 0xDFFF) => "\uFFFD",
            >= 0x80 and <= 0x9F => Windows1252[code - 0x80].ToString(),
            '\t' or '\n' or '\f' or '\r' => ((char)code).ToString(),
            < 0x20 or 0x7F or (>= 0xFDD0 and <= 0xFDEF) => "",
            _ when (code & 0xFFFE) == 0xFFFE => "",
            _ => new Rune(code).ToString(),
        };
    }

    [GeneratedRegex(@"&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")]
    private static partial Regex Reference();

    [GeneratedRegex("&#?[0-9A-Za-z]{1,24};")]
    private static partial Regex WholeReference();
}
