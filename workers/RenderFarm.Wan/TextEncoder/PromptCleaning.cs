using System.Text.RegularExpressions;
using RenderFarm.Wan.TextEncoder.Cleaning;

namespace RenderFarm.Wan.TextEncoder;

/// <summary>
/// What happens to a prompt before it is cut into pieces, as in training: text repaired, HTML references decoded twice
/// (captions came escaped more than once), every run of whitespace made one space. Case stays.
/// </summary>
public static partial class PromptCleaning
{
    public static string Clean(string prompt)
    {
        var text = HtmlText.Unescape(HtmlText.Unescape(TextRepair.Repair(prompt)));
        return Whitespace().Replace(text.Trim(), " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Whitespace();
}
