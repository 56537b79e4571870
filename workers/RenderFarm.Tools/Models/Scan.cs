using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Verbs.Parsing;
using RenderFarm.Wan.Checkpoints.Scanning;

namespace RenderFarm.Tools.Models;

/// <summary>
/// <c>models scan</c>: whatever folder people keep checkpoints in becomes models that a worker offers. Each checkpoint is recognised
/// by its keys and shapes; complete models get a model.json, and the weights stay where they are.
/// </summary>
internal static class Scan
{
    /// <param name="folder">Everything below it is looked at.</param>
    /// <param name="into">Where models are written; null: the local farm's models folder.</param>
    /// <param name="dryRun">Writes nothing.</param>
    /// <param name="json">For programs.</param>
    /// <returns>0 when at least one model is complete.</returns>
    public static int Run(string folder, string? into, bool dryRun, bool json)
    {
        if (!Directory.Exists(folder))
        {
            throw VerbException.Wrong($"dir: there is no folder '{folder}'");
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
            ScanSheet.Print(scan, models, written, Console.Out);
        }
        return models.Any(model => model.Files is not null) ? VerbProgram.Done : VerbProgram.Failed;
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
        var manifest = new ModelManifest { Shape = model.Shape, Files = files };
        File.WriteAllBytes(path, JsonSerializer.SerializeToUtf8Bytes(manifest, ContractsJson.Default.ModelManifest));
        return path;
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
