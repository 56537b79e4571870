using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Verbs.Parsing;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Tools.Models;

/// <summary><c>models verify</c>: whether a model folder is what its manifest says, tensor for tensor. Reads headers only.</summary>
internal static class Verify
{
    public static int Run(string folder)
    {
        var file = Path.Combine(folder, ModelManifest.FileName);
        if (!File.Exists(file))
        {
            throw VerbException.Wrong($"dir: there is no {file}; name a folder that holds a model");
        }
        var manifest = Read(file);
        var faults = 0;
        foreach (var part in Parts(manifest))
        {
            var fault = Fault(part.Kind, [.. part.Paths.Select(path => Path.Combine(folder, path))], part.Expected);
            Console.Out.WriteLine($"{part.Name,-24} {fault ?? "ok"}");
            faults += fault is null ? 0 : 1;
        }
        if (!File.Exists(Path.Combine(folder, manifest.Files.Tokenizer)))
        {
            Console.Out.WriteLine($"{"tokenizer",-24} {manifest.Files.Tokenizer} is missing");
            faults++;
        }
        return faults == 0 ? VerbProgram.Done : VerbProgram.Failed;
    }

    private static ModelManifest Read(string file)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), ContractsJson.Default.ModelManifest)
                ?? throw new JsonException("it is null");
        }
        catch (JsonException error)
        {
            throw new VerbException($"{file}: {error.Message}");
        }
    }

    private static IEnumerable<Part> Parts(ModelManifest manifest)
    {
        var (shape, files) = (manifest.Shape, manifest.Files);
        yield return new("transformer", CheckpointKind.Transformer, files.Transformer, Layouts.Transformer(shape.Transformer));
        if (shape.Experts == 2)
        {
            yield return new(
                "transformer_low_noise",
                CheckpointKind.Transformer,
                files.TransformerLowNoise,
                Layouts.Transformer(shape.Transformer)
            );
        }
        yield return new("text_encoder", CheckpointKind.TextEncoder, files.TextEncoder, Layouts.TextEncoder(shape.TextEncoder));
        yield return new("vae", CheckpointKind.Vae, files.Vae, Layouts.Vae(shape.Vae));
        if (shape.ImageEncoder is { } image)
        {
            yield return new("image_encoder", CheckpointKind.ImageEncoder, files.ImageEncoder, Layouts.ImageEncoder(image));
        }
    }

    private static string? Fault(CheckpointKind kind, IReadOnlyList<string> paths, IReadOnlyList<ExpectedTensor> expected)
    {
        if (paths.Count == 0)
        {
            return "model.json names no file";
        }
        try
        {
            using var source = OriginalSource.Of(CheckpointFiles.Open(paths), kind);
            foreach (var tensor in expected)
            {
                if (!source.Entries.TryGetValue(tensor.Name, out var entry))
                {
                    return $"{tensor.Name} is missing";
                }
                if (!entry.Shape.SequenceEqual(tensor.Shape))
                {
                    return $"{tensor.Name} is [{string.Join(", ", entry.Shape)}] instead of [{string.Join(", ", tensor.Shape)}]";
                }
            }
            return null;
        }
        catch (CheckpointException error)
        {
            return error.Message;
        }
    }

    private sealed record Part(string Name, CheckpointKind Kind, IReadOnlyList<string> Paths, IReadOnlyList<ExpectedTensor> Expected);
}
