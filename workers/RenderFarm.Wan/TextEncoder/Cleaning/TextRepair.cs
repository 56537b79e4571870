using System.Text;
using System.Text.RegularExpressions;

namespace RenderFarm.Wan.TextEncoder.Cleaning;

/// <summary>
/// The simple passes of ftfy's <c>fix_text</c> with its default settings, in its order, line by line until nothing changes.
/// They alter ordinary text too: curly quotes become straight, full-width forms plain. Mojibake (text decoded by the wrong
/// code page) is not repaired: it takes ftfy's statistics, and prompts arrive as JSON in UTF-8.
/// </summary>
internal static partial class TextRepair
{
    /// <summary>What U+FF5F to U+FFEF stand for, one by one; a code without a plain form stands for itself.</summary>
    private const string PlainWidth =
        "⦅⦆。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u3099\u309A"
        + "\u1160\u1100\u1101\u11AA\u1102\u11AC\u11AD\u1103\u1104\u1105\u11B0\u11B1\u11B2\u11B3\u11B4\u11B5\u111A\u1106\u1107\u1108\u1121"
        + "\u1109\u110A\u110B\u110C\u110D\u110E\u110F\u1110\u1111\u1112\uFFBF\uFFC0\uFFC1\u1161\u1162\u1163\u1164\u1165\u1166\uFFC8\uFFC9"
        + "\u1167\u1168\u1169\u116A\u116B\u116C\uFFD0\uFFD1\u116D\u116E\u116F\u1170\u1171\u1172\uFFD8\uFFD9\u1173\u1174\u1175\uFFDD\uFFDE"
        + "\uFFDF"
        + "¢£¬\uFFE3¦¥₩\uFFE7│←↑→↓■○\uFFEF";

    private const string Windows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008DŽ\u008F\u0090‘’“”•–—˜™š›œ\u009DžŸ";

    public static string Repair(string text)
    {
        var repaired = new StringBuilder(text.Length);
        var mayBeEscaped = true; // Until the first '<': what follows may be HTML on purpose
        for (var start = 0; start < text.Length;)
        {
            var end = text.IndexOf('\n', start) is >= 0 and var at ? at + 1 : text.Length;
            var line = text[start..end];
            mayBeEscaped &= !line.Contains('<');
            repaired.Append(RepairLine(line, mayBeEscaped));
            start = end;
        }

        return repaired.ToString();
    }

    private static string RepairLine(string line, bool unescape)
    {
        while (true)
        {
            var before = line;
            if (unescape)
            {
                line = HtmlText.UnescapeWhole(line);
            }

            line = Plain(line);
            line = TerminalEscape().Replace(line, "");
            line = WithoutControls(line);
            line = CanonicalComposition.Compose(line);
            if (line == before)
            {
                return line;
            }
        }
    }

    /// <summary>Characters that stand for others: C1 controls, ligatures, widths, quotes, line breaks, lone surrogates.</summary>
    private static string Plain(string line)
    {
        var plain = new StringBuilder(line.Length);
        for (var i = 0; i < line.Length; i++)
        {
            var letter = line[i] is >= '\u0080' and <= '\u009F' ? Windows1252[line[i] - '\u0080'] : line[i];
            switch (letter)
            {
                case '\r':
                    if (i + 1 < line.Length && line[i + 1] == '\n')
                    {
                        i++;
                    }

                    plain.Append('\n');
                    break;
                case '\u2028' or '\u2029':
                    plain.Append('\n');
                    break;
                case '\u02BC' or (>= '\u2018' and <= '\u201B'):
                    plain.Append('\'');
                    break;
                case >= '\u201C' and <= '\u201F':
                    plain.Append('"');
                    break;
                case '\u3000':
                    plain.Append(' ');
                    break;
                case '\uFFE3':
                    plain.Append(" \u0304");
                    break;
                case >= '\uFF01' and <= '\uFF5E':
                    plain.Append((char)(letter - 0xFEE0));
                    break;
                case >= '\uFF5F' and <= '\uFFEF':
                    plain.Append(PlainWidth[letter - '\uFF5F']);
                    break;
                case var high when char.IsHighSurrogate(high) && i + 1 < line.Length && char.IsLowSurrogate(line[i + 1]):
                    plain.Append(high).Append(line[++i]);
                    break;
                case var lone when char.IsSurrogate(lone):
                    plain.Append('\uFFFD');
                    break;
                default:
                    if (Ligature(letter) is { } letters)
                    {
                        plain.Append(letters);
                    }
                    else
                    {
                        plain.Append(letter);
                    }

                    break;
            }
        }

        return plain.ToString();
    }

    private static string? Ligature(char letter) =>
        letter switch
        {
            'Ĳ' => "IJ",
            'ĳ' => "ij",
            'ŉ' => "'n",
            'Ǆ' => "DŽ",
            'ǅ' => "Dž",
            'ǆ' => "dž",
            'Ǉ' => "LJ",
            'ǈ' => "Lj",
            'ǉ' => "lj",
            'Ǌ' => "NJ",
            'ǋ' => "Nj",
            'ǌ' => "nj",
            'Ǳ' => "DZ",
            'ǲ' => "Dz",
            'ǳ' => "dz",
            'ﬀ' => "ff",
            'ﬁ' => "fi",
            'ﬂ' => "fl",
            'ﬃ' => "ffi",
            'ﬄ' => "ffl",
            'ﬅ' => "ſt",
            'ﬆ' => "st",
            _ => null,
        };

    private static string WithoutControls(string line) =>
        line.Any(IsControl) ? string.Concat(line.Where(letter => !IsControl(letter))) : line;

    private static bool IsControl(char letter) =>
        letter
            is <= '\u0008'
                or '\u000B'
                or (>= '\u000E' and <= '\u001F')
                or '\u007F'
                or (>= '\u206A' and <= '\u206F')
                or '\uFEFF'
                or (>= '\uFFF9' and <= '\uFFFC');

    [GeneratedRegex(@"\x1B\[[\d;]*[a-zA-Z]")]
    private static partial Regex TerminalEscape();
}
