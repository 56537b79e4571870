using System.Text.RegularExpressions;

namespace RenderFarm.Wan.Checkpoints.Scanning;

/// <summary>Which of two experts a file is for. Their tensors look alike, so that only names can tell.</summary>
public enum ExpertRole
{
    Unknown,
    HighNoise,
    LowNoise,
}

/// <summary>Reads roles and sizes out of the names of files and folders.</summary>
internal static partial class NameSigns
{
    /// <param name="path">Relative to the folder that is scanned; the file's own name counts before its folders'.</param>
    public static ExpertRole RoleOf(string path)
    {
        foreach (var part in path.Split(Path.DirectorySeparatorChar).Reverse())
        {
            if (part == "transformer_2")
            {
                return ExpertRole.LowNoise; // diffusers; its other one is 'transformer' in every model
            }

            if (Noise().Match(part) is { Success: true } match)
            {
                return char.ToLowerInvariant(match.Groups["level"].ValueSpan[0]) == 'h' ? ExpertRole.HighNoise : ExpertRole.LowNoise;
            }
        }
        return ExpertRole.Unknown;
    }

    /// <summary>The name without the word that tells the role.</summary>
    public static string WithoutRole(string name) => Repeated().Replace(Noise().Replace(name, ""), "$1").Trim('_', '-', '.', ' ');

    /// <summary>720 and not 480 is in the path.</summary>
    public static bool Says720(string path) =>
        path.Contains("720", StringComparison.Ordinal) && !path.Contains("480", StringComparison.Ordinal);

    [GeneratedRegex(@"(?<![a-z])(?<level>high|low)(?:[_\-. ]?noise|(?![a-z]))", RegexOptions.IgnoreCase)]
    private static partial Regex Noise();

    [GeneratedRegex(@"([_\-. ])[_\-. ]+")]
    private static partial Regex Repeated();
}
