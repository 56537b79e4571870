using System.Text.Json;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Loras;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary>
/// <c>lora_kinds</c>: for each case of the configuration the bytes of an adapter file, which is opened as a user's would be, and every
/// tensor of the DiT <c>w.*</c> that it changes at the configured strength. That it changes no others is a line of its own.
/// </summary>
internal static class LoraParity
{
    public static void Check(ParityFile file)
    {
        using var golden = file.Open();
        var strength = golden.Config("strength").GetDouble();
        var folder = Directory.CreateTempSubdirectory("renderfarm-parity-");
        try
        {
            foreach (var one in golden.Config("cases").EnumerateArray())
            {
                using var scope = NewDisposeScope();
                var name = one.GetProperty("name").GetString()!;
                var path = Path.Combine(folder.FullName, "adapter.safetensors");
                File.WriteAllBytes(path, golden.Bytes(name));
                try
                {
                    Check(file, golden, new NamedLora(name, strength, CheckpointFiles.Open(path)), Expected(one));
                }
                catch (CheckpointException e)
                {
                    file.Report.Line(file.Name, name, e.Message.ReplaceLineEndings(" "), pass: false);
                }
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Check(ParityFile file, GoldenFile golden, NamedLora lora, IReadOnlyList<string> expected)
    {
        using var set = LoraSet.Resolve([lora], TransformerParity.Shape(golden, golden.Weights));
        var others = set.Changes.Keys.Except(expected).Order(StringComparer.Ordinal).ToList();
        file.Report.Line(
            file.Name,
            lora.Name,
            others.Count == 0 ? $"{expected.Count} tensors" : $"changes {string.Join(", ", others)} too",
            others.Count == 0
        );
        using var merged = new MergedSource(golden.Weights, set.Changes, golden.Device);
        foreach (var key in expected)
        {
            using var weight = merged.Load(key);
            file.Compare(golden, $"{lora.Name}.{key}", weight);
        }
    }

    private static string[] Expected(JsonElement one) => [.. one.GetProperty("tensors").EnumerateArray().Select(key => key.GetString()!)];
}
