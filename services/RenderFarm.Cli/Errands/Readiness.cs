using System.CommandLine;

namespace RenderFarm.Cli.Errands;

/// <summary>Whether the other programs were made ready for a verb; outside of <c>./farm</c> it takes them as they are.</summary>
internal static class Readiness
{
    private const string RootVariable = "RENDERFARM_ROOT";
    private const string ReadyVariable = "RENDERFARM_READY";

    /// <returns>The words that make them ready and come back here; null where there is nothing to do.</returns>
    public static IReadOnlyList<string>? Missing(ParseResult parsed, bool needsFfmpeg, Func<string, string?> environment)
    {
        return string.IsNullOrEmpty(environment(RootVariable)) || !string.IsNullOrEmpty(environment(ReadyVariable))
            ? null
            : new Errand("services/RenderFarm.Cli") { NeedsFfmpeg = needsFfmpeg }.Words(parsed.Tokens.Select(token => token.Value));
    }
}
