using System.Globalization;
using System.Text.RegularExpressions;
using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Wan.Checkpoints.Scanning;

/// <summary>Walks a folder that people keep checkpoints in.</summary>
public static partial class ModelFolder
{
    private static readonly EnumerationOptions Walk = new()
    {
        RecurseSubdirectories = true,
        IgnoreInaccessible = true,
        MaxRecursionDepth = 16,
    };

    /// <summary>Every checkpoint below a folder, the shards of one together.</summary>
    public static IReadOnlyList<IReadOnlyList<string>> Checkpoints(string folder) =>
        [
            .. Directory
                .EnumerateFiles(folder, "*", Walk)
                .Where(file => Path.GetExtension(file) is ".safetensors" or ".gguf" or ".pth" or ".pt")
                .GroupBy(file => Shard().Replace(file, ""))
                .OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => (IReadOnlyList<string>)[.. group.Order(StringComparer.Ordinal)]),
        ];

    /// <summary>Files that may be SentencePiece models.</summary>
    public static IReadOnlyList<string> Tokenizers(string folder) =>
        [
            .. Directory
                .EnumerateFiles(folder, "*.model", Walk)
                .Where(file => LinkedFile.Of(file).Length < 64 << 20)
                .Order(StringComparer.Ordinal),
        ];

    /// <summary>Numbers of the shards that their names promise and that are not there.</summary>
    public static IReadOnlyList<int> MissingShards(IReadOnlyList<string> files)
    {
        if (Shard().Match(files[0]) is not { Success: true } first)
        {
            return [];
        }

        var of = int.Parse(first.Groups["of"].Value, CultureInfo.InvariantCulture);
        var there = files.Select(file => int.Parse(Shard().Match(file).Groups["number"].Value, CultureInfo.InvariantCulture)).ToHashSet();
        return [.. Enumerable.Range(1, of).Where(number => !there.Contains(number))];
    }

    [GeneratedRegex(@"-(?<number>\d{5})-of-(?<of>\d{5})(?=\.)")]
    private static partial Regex Shard();
}
