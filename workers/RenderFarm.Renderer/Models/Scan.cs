using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Checkpoints.Scanning;

namespace RenderFarm.Renderer.Models;

/// <summary><c>models scan</c>: whatever folder people keep checkpoints in becomes models that a worker offers.</summary>
internal static class Scan
{
    private const string Usage = """
        models scan DIR [--into DIR] [--json] [--dry-run]

        Looks at every checkpoint below DIR (a download, a ComfyUI models folder, a diffusers folder, or all of them mixed),
        recognises each by its keys and shapes, puts them together to models and writes a model.json for each that is complete;
        the weights stay where they are. Says what the others still need. --into: where to write, by default the local farm's
        models folder (RENDERFARM_HOME, or ~/.renderfarm, then models). --dry-run writes nothing. Reads headers only.
        Exit code 0 when at least one model is complete.
        """;

    public static int Run(string[] args)
    {
        if (args is ["--help" or "-h"])
        {
            return ModelsVerb.Say(Usage);
        }

        string? folder = null,
            into = null;
        var json = false;
        var dryRun = false;
        for (var i = 0; i < args.Length; i++)
        {
            if (args[i] == "--into" && i + 1 < args.Length)
            {
                into = args[++i];
            }
            else if (args[i] == "--json")
            {
                json = true;
            }
            else if (args[i] == "--dry-run")
            {
                dryRun = true;
            }
            else if (folder is null && !args[i].StartsWith('-'))
            {
                folder = args[i];
            }
            else
            {
                return ExitCodes.Usage($"scan: '{args[i]}' is not understood\n\n{Usage}");
            }
        }
        if (folder is null)
        {
            return ExitCodes.Usage(Usage);
        }

        if (!Directory.Exists(folder))
        {
            return ExitCodes.Usage($"scan: there is no folder '{folder}'");
        }

        var scan = FolderScan.Of(Path.GetFullPath(folder));
        var models = ModelAssembly.Of(scan);
        var written = new Dictionary<string, string>();
        foreach (var model in models.Where(model => model.Files is not null && !dryRun))
        {
            written[model.Shape.Id] = Write(model, Path.Combine(into ?? DefaultFolder(), model.Shape.Id));
        }

        if (json)
        {
            Console.Out.WriteLine(
                JsonSerializer.Serialize(new ScanReport(scan.Checkpoints, models, scan.Unusable), ScanJson.Default.ScanReport)
            );
        }
        else
        {
            Print(scan, models, written);
        }

        return models.Any(model => model.Files is not null) ? ExitCodes.Done : ExitCodes.Failed;
    }

    private static string Write(AssembledModel model, string folder)
    {
        Directory.CreateDirectory(folder);
        var files = model.Files!;
        if (model.TokenizerInside is { } inside)
        {
            var tokenizer = Path.Combine(folder, "spiece.model");
            File.WriteAllBytes(tokenizer, FolderScan.Read(inside));
            files = files with { Tokenizer = tokenizer };
        }
        var path = Path.Combine(folder, ModelManifest.FileName);
        File.WriteAllBytes(
            path,
            JsonSerializer.SerializeToUtf8Bytes(
                new ModelManifest { Shape = model.Shape, Files = files },
                ContractsJson.Default.ModelManifest
            )
        );
        return path;
    }

    private static void Print(FolderScan scan, IReadOnlyList<AssembledModel> models, Dictionary<string, string> written)
    {
        var text = Console.Out;
        foreach (var found in scan.Checkpoints)
        {
            var it = found.Description;
            var role =
                it.Kind == CheckpointKind.Transformer && found.Role != ExpertRole.Unknown
                    ? found.Role == ExpertRole.HighNoise
                        ? ", high noise"
                        : ", low noise"
                    : "";
            text.WriteLine($"{found.Relative}{(found.Files.Count > 1 ? $" and {found.Files.Count - 1} more" : "")}");
            var layout = it.Layout is null ? "" : it.Layout + " names, ";
            var stored = it.Quantization == "none" ? string.Join("/", it.Types.Keys).ToLowerInvariant() : it.Quantization;
            text.WriteLine($"  {it.What}{role}; {layout}{stored}");
            if (it.Missing.Count > 0 && it.Kind != CheckpointKind.Unknown)
            {
                text.WriteLine($"  incomplete: {it.Missing.Count} tensors are missing, the first is {it.Missing[0]}");
            }
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
            var state =
                model.Files is null ? "incomplete"
                : written.TryGetValue(model.Shape.Id, out var path) ? $"complete, written to {path}"
                : "complete";
            text.WriteLine($"{model.Shape.Id,-16} {state}");
            foreach (var missing in model.Missing)
            {
                text.WriteLine($"{"",-16} needs {missing}");
            }

            if (model.Files is { Loras.Count: > 0 } or { LorasLowNoise.Count: > 0 })
            {
                text.WriteLine(
                    $"{"",-16} LoRAs: "
                        + $"{string.Join(", ", model.Files.Loras.Keys.Union(model.Files.LorasLowNoise.Keys).Order(StringComparer.Ordinal))}"
                );
            }

            foreach (var note in model.Notes.Distinct())
            {
                text.WriteLine($"{"",-16} {note}");
            }
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

    /// <summary>The embedded farm's own.</summary>
    private static string DefaultFolder()
    {
        var home = Environment.GetEnvironmentVariable("RENDERFARM_HOME");
        return Path.Combine(
            string.IsNullOrEmpty(home)
                ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".renderfarm")
                : home,
            "models"
        );
    }
}

internal sealed record ScanReport(
    IReadOnlyList<FoundCheckpoint> Checkpoints,
    IReadOnlyList<AssembledModel> Models,
    IReadOnlyList<UnusableFile> Unusable
);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true,
    WriteIndented = true
)]
[JsonSerializable(typeof(ScanReport))]
internal sealed partial class ScanJson : JsonSerializerContext;
