using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Rendering.Loading;
using RenderFarm.Verbs.Parsing;

namespace RenderFarm.Renderer.Cache;

/// <summary><c>cache check DIR</c>: prepared weights against their checksums; what a worker starts before it takes work.</summary>
internal static class CacheVerb
{
    public static int Check(string root, bool repair, bool json)
    {
        if (!Directory.Exists(root))
        {
            throw VerbException.Wrong($"dir: there is no folder {root}");
        }

        var damaged = 0;
        foreach (var finding in CacheInspection.Of(root, repair))
        {
            if (finding is { Damage: not null, Removed: false })
            {
                damaged++;
            }

            Console.Out.WriteLine(json ? JsonSerializer.Serialize(finding, CacheJson.Default.CacheFinding) : InWords(finding));
        }
        return damaged == 0 ? VerbProgram.Done : VerbProgram.Failed;
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
