using System.Text.Json;
using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>Opens what a model's part is stored in: one file or several shards, safetensors, <c>.pth</c> or GGUF.</summary>
public static class CheckpointFiles
{
    private const string IndexSuffix = ".safetensors.index.json";

    /// <param name="paths">Files of one model, or its <c>.safetensors.index.json</c>.</param>
    /// <exception cref="CheckpointException">A file is missing, malformed or of another format.</exception>
    public static ITensorSource Open(params IReadOnlyList<string> paths)
    {
        ArgumentOutOfRangeException.ThrowIfZero(paths.Count, nameof(paths));
        if (paths is [var index] && index.EndsWith(IndexSuffix, StringComparison.Ordinal))
        {
            return OpenIndex(index);
        }

        var files = new List<ITensorSource>();
        try
        {
            foreach (var path in paths)
            {
                files.Add(OpenOne(path));
            }

            return files.Count == 1 ? files[0] : new ShardedSource(files);
        }
        catch
        {
            files.ForEach(file => file.Dispose());
            throw;
        }
    }

    private static ITensorSource OpenOne(string path) =>
        Path.GetExtension(path) switch
        {
            ".safetensors" => SafetensorsFile.Open(path),
            ".pth" or ".pt" => PthFile.Open(path),
            ".gguf" => GgufCheckpoint.Open(path),
            var other => throw new CheckpointException(path, "file", $"extension '{other}' is not read; .safetensors, .gguf and .pth are"),
        };

    private static ITensorSource OpenIndex(string path)
    {
        var map = WeightMap(path);
        var folder = Path.GetDirectoryName(path)!;
        var source = Open([.. map.Values.Distinct().Order(StringComparer.Ordinal).Select(name => Path.Combine(folder, name))]);
        var absent = map.Keys.Where(name => !source.Entries.ContainsKey(name)).Order(StringComparer.Ordinal).ToList();
        if (absent.Count == 0)
        {
            return source;
        }

        source.Dispose();
        throw new CheckpointException(path, absent[0], $"{absent.Count} tensors of the index are in none of its files");
    }

    private static Dictionary<string, string> WeightMap(string path)
    {
        try
        {
            const long Most = 64 << 20;
            if (LinkedFile.Of(path).Length is > Most and var size)
            {
                throw new CheckpointException(path, "file", $"has {size} bytes; an index has at most {Most}");
            }

            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            var map = document
                .RootElement.GetProperty("weight_map")
                .EnumerateObject()
                .ToDictionary(pair => pair.Name, pair => pair.Value.GetString() ?? throw new JsonException($"no file for {pair.Name}"));
            if (map.Count == 0)
            {
                throw new CheckpointException(path, "weight_map", "is empty");
            }

            foreach (var (tensor, file) in map)
            {
                if (file != Path.GetFileName(file))
                {
                    throw new CheckpointException(path, tensor, $"'{file}' is not a file of the same folder");
                }
            }

            return map;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new CheckpointException(path, "weight_map", "the index does not say which file holds which tensor", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, "file", e.Message, e);
        }
    }
}
