using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Checkpoints.Scanning;

namespace RenderFarm.Renderer.Models;

/// <summary><c>models inspect</c>: what a checkpoint is, from its keys, types and shapes alone.</summary>
internal static class Inspect
{
    private const string Usage = """
        models inspect FILE|DIR [--json]

        Says what each checkpoint is: part of which models, whose layout, types, quantisation, and the first keys that are
        missing. Reads headers only. Shards (-00001-of-00006) count as one. Exit code 1 when something in it can't be
        used: foreign, incomplete or damaged.
        """;

    public static int Run(string[] args)
    {
        if (args is ["--help" or "-h"])
        {
            return ModelsVerb.Say(Usage);
        }

        var json = args.Contains("--json");
        if (args.Where(a => a != "--json").ToList() is not [var path] || path.StartsWith('-'))
        {
            return ExitCodes.Usage(Usage);
        }

        if (!File.Exists(path) && !Directory.Exists(path))
        {
            return ExitCodes.Usage($"inspect: there is no file or folder '{path}'");
        }

        var groups = Groups(path);
        if (groups.Count == 0)
        {
            Console.Error.WriteLine($"inspect: no checkpoints (.safetensors, .pth) below {path}");
            return ExitCodes.Failed;
        }
        var usable = true;
        var descriptions = new List<CheckpointDescription>();
        foreach (var group in groups)
        {
            try
            {
                using var source = CheckpointFiles.Open(group);
                foreach (var description in CheckpointRecognition.DescribeAll(source))
                {
                    descriptions.Add(description);
                    usable &= description.Usable;
                    if (!json)
                    {
                        Print(description);
                    }
                }
            }
            catch (CheckpointException e)
            {
                usable = false;
                Console.Error.WriteLine($"{e.Message}");
            }
        }
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize([.. descriptions], InspectJson.Default.CheckpointDescriptionArray));
        }

        return usable ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static void Print(CheckpointDescription it)
    {
        var text = Console.Out;
        text.WriteLine(it.File);
        text.WriteLine($"  {it.What}");
        if (it.Models.Count > 0)
        {
            text.WriteLine($"  part of      {string.Join(", ", it.Models)}");
        }

        if (it.Layout is not null)
        {
            text.WriteLine($"  layout       {it.Layout}{(it.Prefix == "" ? "" : $", keys begin with {it.Prefix}")}");
        }

        text.WriteLine($"  types        {string.Join(", ", it.Types.Select(t => $"{t.Key} × {t.Value}"))}");
        text.WriteLine($"  quantised    {it.Quantization}");
        text.WriteLine($"  size         {it.Tensors} tensors, {it.Parameters:#,0} parameters, {it.Bytes:#,0} bytes");
        if (it.Missing.Count > 0)
        {
            text.WriteLine(
                $"  missing      {it.Missing.Count}: {string.Join(", ", it.Missing.Take(5))}{(it.Missing.Count > 5 ? ", …" : "")}"
            );
        }

        foreach (var note in it.Notes)
        {
            text.WriteLine($"  note         {note}");
        }
    }

    /// <summary>Every checkpoint below a path, the shards of one together.</summary>
    private static IReadOnlyList<IReadOnlyList<string>> Groups(string path)
    {
        if (File.Exists(path) && Path.GetFileName(path) != ModelManifest.FileName)
        {
            return
            [
                [path],
            ];
        }

        return ModelFolder.Checkpoints(Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true
)]
[JsonSerializable(typeof(CheckpointDescription[]))]
internal sealed partial class InspectJson : JsonSerializerContext;
