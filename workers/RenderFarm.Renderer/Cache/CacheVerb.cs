using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Rendering.Loading;

namespace RenderFarm.Renderer.Cache;

/// <summary><c>cache check DIR</c>: prepared weights against their checksums; what a worker starts before it takes work.</summary>
internal static class CacheVerb
{
    private const string Usage = "cache check DIR [--repair] [--json]: DIR is a host's weight cache; --repair removes what is damaged";

    public static int Run(string[] args)
    {
        if (
            args is not ["check", var root, .. var options]
            || root.StartsWith('-')
            || options.Any(option => option is not ("--repair" or "--json"))
        )
        {
            return ExitCodes.Usage(Usage);
        }

        if (!Directory.Exists(root))
        {
            return ExitCodes.Usage($"cache check: there is no folder {root}");
        }

        var damaged = 0;
        foreach (var finding in CacheInspection.Of(root, options.Contains("--repair")))
        {
            if (finding is { Damage: not null, Removed: false })
            {
                damaged++;
            }

            Console.Out.WriteLine(
                options.Contains("--json") ? JsonSerializer.Serialize(finding, CacheJson.Default.CacheFinding) : InWords(finding)
            );
        }
        return damaged == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static string InWords(CacheFinding finding) =>
        finding switch
        {
            { Damage: null } => $"whole    {finding.Path} ({finding.Bytes:N0} bytes)",
            { Removed: true } => $"removed  {finding.Path}: {finding.Damage}",
            _ => $"damaged  {finding.Path}: {finding.Damage}",
        };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CacheFinding))]
internal sealed partial class CacheJson : JsonSerializerContext;
