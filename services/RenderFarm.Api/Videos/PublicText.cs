using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace RenderFarm.Api.Videos;

/// <summary>
/// What a host said, for those who don't run it: without the frames of a stack trace, and of each path only its last name. The
/// whole text is for the scope <c>admin</c>, under a video's attempts.
/// </summary>
internal static partial class PublicText
{
    [return: NotNullIfNotNull(nameof(text))]
    public static string? Of(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return text;
        }

        var kept = Frame().Replace(text, "");
        kept = UnixPath().Replace(kept, path => "…" + path.Value[path.Value.LastIndexOf('/')..]);
        return WindowsPath().Replace(kept, path => "…" + path.Value[path.Value.LastIndexOf('\\')..]).TrimEnd('\n');
    }

    /// <summary>A line of a stack trace, as .NET, Python, libtorch and debuggers write them.</summary>
    [GeneratedRegex(
        """^[ \t]*(?:at [\w.<>`]+[\w.<>`\[\]+, ]*\(|--- End of |File ".*", line \d|frame #\d|#\d+:? |"""
            + """Exception raised from |Traceback ).*\n?""",
        RegexOptions.Multiline
    )]
    private static partial Regex Frame();

    /// <summary>Two names and more from the root on; the path of a URL does not begin a word, and stays.</summary>
    [GeneratedRegex("""(?<![\w./~\]-])(?!//)(?:/[^\s/:;,'"()<>|]+){2,}|file://\S+""")]
    private static partial Regex UnixPath();

    [GeneratedRegex("""\b[A-Za-z]:(?:\\[^\s\\:;,'"()<>|]+)+""")]
    private static partial Regex WindowsPath();
}
