using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Checkpoints.Scanning;

namespace RenderFarm.Tools.Models;

/// <summary>A scan for people: every file and what it is, then every model and what it needs.</summary>
internal static class ScanSheet
{
    /// <param name="scan">What was found.</param>
    /// <param name="models">What it makes.</param>
    /// <param name="written">Manifests by model.</param>
    /// <param name="text">Where to.</param>
    public static void Print(
        FolderScan scan,
        IReadOnlyList<AssembledModel> models,
        IReadOnlyDictionary<string, string> written,
        TextWriter text
    )
    {
        foreach (var found in scan.Checkpoints)
        {
            Print(found, text);
        }
        foreach (var tokenizer in scan.Tokenizers)
        {
            text.WriteLine(
                $"{tokenizer.File}\n  SentencePiece model of {tokenizer.Pieces} pieces{(tokenizer.Inside ? ", inside the checkpoint" : "")}"
            );
        }
        foreach (var file in scan.Unusable)
        {
            text.WriteLine($"{file.File}\n  unusable: {file.Reason}");
        }
        text.WriteLine();
        foreach (var model in models)
        {
            Print(model, written.GetValueOrDefault(model.Shape.Id), text);
        }
        if (models.Count == 0)
        {
            text.WriteLine("no DiT of a known model is here");
        }
        if (written.Count > 0)
        {
            text.WriteLine("Workers notice new models by themselves.");
        }
    }

    private static void Print(FoundCheckpoint found, TextWriter text)
    {
        var it = found.Description;
        var role = (it.Kind, found.Role) switch
        {
            (CheckpointKind.Transformer, ExpertRole.HighNoise) => ", high noise",
            (CheckpointKind.Transformer, not ExpertRole.Unknown) => ", low noise",
            _ => "",
        };
        var names = it.Layout is null ? "" : $"{it.Layout} names, ";
        var stored = it.Quantization == "none" ? string.Join("/", it.Types.Keys).ToLowerInvariant() : it.Quantization;
        text.WriteLine($"{found.Relative}{(found.Files.Count > 1 ? $" and {found.Files.Count - 1} more" : "")}");
        text.WriteLine($"  {it.What}{role}; {names}{stored}");
        if (it.Adapter is { } adapter)
        {
            text.WriteLine($"  {AdapterSheet.Line(adapter)}");
        }
        if (it.Missing.Count > 0 && it.Kind != CheckpointKind.Unknown)
        {
            text.WriteLine($"  incomplete: {it.Missing.Count} tensors are missing, the first is {it.Missing[0]}");
        }
    }

    private static void Print(AssembledModel model, string? written, TextWriter text)
    {
        var state =
            model.Files is null ? "incomplete"
            : written is null ? "complete"
            : $"complete, written to {written}";
        text.WriteLine($"{model.Shape.Id,-16} {state}");
        foreach (var missing in model.Missing)
        {
            text.WriteLine($"{"",-16} needs {missing}");
        }
        if (model.Files is { Loras.Count: > 0 } or { LorasLowNoise.Count: > 0 })
        {
            var loras = model.Files.Loras.Keys.Union(model.Files.LorasLowNoise.Keys).Order(StringComparer.Ordinal);
            text.WriteLine($"{"",-16} LoRAs: {string.Join(", ", loras)}");
        }
        foreach (var note in model.Notes.Distinct())
        {
            text.WriteLine($"{"",-16} {note}");
        }
    }
}
