using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Renderer.Models;

/// <summary><c>models verify</c>: whether a model folder is what its manifest says, tensor for tensor. Reads headers only.</summary>
internal static class Verify
{
    private const string Usage = """
        models verify DIR

        Checks a model folder against its model.json: every file is there and whole, and holds every tensor of the model in
        its shape. Reads headers only. Exit code 1 when something is wrong.
        """;

    public static int Run(string[] args)
    {
        if (args is ["--help" or "-h"])
        {
            return ModelsVerb.Say(Usage);
        }

        if (args is not [var folder] || folder.StartsWith('-'))
        {
            return ExitCodes.Usage(Usage);
        }

        var file = Path.Combine(folder, ModelManifest.FileName);
        if (!File.Exists(file))
        {
            return ExitCodes.Usage($"verify: there is no {file}; name a folder that holds a model");
        }

        ModelManifest manifest;
        try
        {
            manifest =
                JsonSerializer.Deserialize(File.ReadAllBytes(file), ContractsJson.Default.ModelManifest)
                ?? throw new JsonException("it is null");
        }
        catch (JsonException e)
        {
            Console.Error.WriteLine($"{file}: {e.Message}");
            return ExitCodes.Failed;
        }
        var faults = 0;
        foreach (var (name, kind, paths, expected) in Components(manifest))
        {
            var fault = Fault(kind, [.. paths.Select(p => Path.Combine(folder, p))], expected);
            Console.Out.WriteLine($"{name,-24} {fault ?? "ok"}");
            if (fault is not null)
            {
                faults++;
            }
        }
        if (!File.Exists(Path.Combine(folder, manifest.Files.Tokenizer)))
        {
            Console.Out.WriteLine($"{"tokenizer",-24} {manifest.Files.Tokenizer} is missing");
            faults++;
        }
        return faults == 0 ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static IEnumerable<(
        string Name,
        CheckpointKind Kind,
        IReadOnlyList<string> Paths,
        IReadOnlyList<ExpectedTensor> Expected
    )> Components(ModelManifest manifest)
    {
        var (shape, files) = (manifest.Shape, manifest.Files);
        yield return ("transformer", CheckpointKind.Transformer, files.Transformer, Layouts.Transformer(shape.Transformer));
        if (shape.Experts == 2)
        {
            yield return (
                "transformer_low_noise",
                CheckpointKind.Transformer,
                files.TransformerLowNoise,
                Layouts.Transformer(shape.Transformer)
            );
        }

        yield return ("text_encoder", CheckpointKind.TextEncoder, files.TextEncoder, Layouts.TextEncoder(shape.TextEncoder));
        yield return ("vae", CheckpointKind.Vae, files.Vae, Layouts.Vae(shape.Vae));
        if (shape.ImageEncoder is { } image)
        {
            yield return ("image_encoder", CheckpointKind.ImageEncoder, files.ImageEncoder, Layouts.ImageEncoder(image));
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
        catch (CheckpointException e)
        {
            return e.Message;
        }
    }
}
