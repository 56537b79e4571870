using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Verbs.Parsing;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Checkpoints.Scanning;

namespace RenderFarm.Tools.Models;

/// <summary><c>models inspect</c>: what a checkpoint is, from its keys, types and shapes alone.</summary>
internal static class Inspect
{
    public static int Run(string path, bool json)
    {
        if (!File.Exists(path) && !Directory.Exists(path))
        {
            throw VerbException.Wrong($"path: there is no file or folder '{path}'");
        }
        var groups = Groups(path);
        if (groups.Count == 0)
        {
            throw new VerbException($"no checkpoints (.safetensors, .gguf, .pth) below {path}");
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
                        Print(description, Console.Out);
                    }
                }
            }
            catch (CheckpointException error)
            {
                usable = false;
                Console.Error.WriteLine(error.Message);
            }
        }
        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize([.. descriptions], InspectJson.Default.CheckpointDescriptionArray));
        }
        return usable ? VerbProgram.Done : VerbProgram.Failed;
    }

    private static void Print(CheckpointDescription it, TextWriter text)
    {
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
        if (it.Adapter is { } adapter)
        {
            text.WriteLine($"  adapter      {AdapterSheet.Line(adapter)}");
        }
        text.WriteLine($"  types        {string.Join(", ", it.Types.Select(type => $"{type.Key} × {type.Value}"))}");
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
        return File.Exists(path) && Path.GetFileName(path) != ModelManifest.FileName
            ?
            [
                [path],
            ]
            : ModelFolder.Checkpoints(Directory.Exists(path) ? path : Path.GetDirectoryName(Path.GetFullPath(path))!);
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true
)]
[JsonSerializable(typeof(CheckpointDescription[]))]
internal sealed partial class InspectJson : JsonSerializerContext;
