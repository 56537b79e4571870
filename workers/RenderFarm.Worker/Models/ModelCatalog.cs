using System.Text.Json;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Models;

/// <summary>A model on this host, its files as full paths.</summary>
internal sealed record InstalledModel(ModelShape Shape, ModelFiles Files, ModelRegistration Registration);

/// <summary>
/// The models under <c>Models:Directory</c>. A folder whose manifest can't be read is reported and left out. A model
/// with a damaged or missing file stays in: its jobs then fail with the file's name, instead of being refused as unknown.
/// </summary>
internal sealed class ModelCatalog(IOptions<ModelsOptions> options, ILogger<ModelCatalog> log)
{
    public IReadOnlyDictionary<string, InstalledModel> Models { get; private set; } = new Dictionary<string, InstalledModel>();

    /// <summary>Looks again at the disk.</summary>
    /// <returns>True when what there is to register has changed.</returns>
    public async Task<bool> ScanAsync(CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, InstalledModel>(StringComparer.Ordinal);
        var root = options.Value.Directory;
        IEnumerable<string> folders = Directory.Exists(root) ? Directory.EnumerateDirectories(root).Order(StringComparer.Ordinal) : [];
        foreach (var folder in folders)
        {
            var manifest = Path.Combine(folder, ModelManifest.FileName);
            if (!File.Exists(manifest))
            {
                continue;
            }

            try
            {
                var model = await ReadAsync(manifest, cancellationToken);
                if (!found.TryAdd(model.Shape.Id, model))
                {
                    log.ModelTwice(manifest, model.Shape.Id);
                }
            }
            catch (Exception fault) when (fault is JsonException or IOException or UnauthorizedAccessException)
            {
                log.ManifestUnreadable(manifest, fault.Message);
            }
        }

        var changed = !Same(Models, found);
        Models = found;
        return changed;
    }

    private async Task<InstalledModel> ReadAsync(string path, CancellationToken cancellationToken)
    {
        var manifest =
            JsonSerializer.Deserialize(await File.ReadAllBytesAsync(path, cancellationToken), ContractsJson.Default.ModelManifest)
            ?? throw new JsonException("the file holds null");
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var files = manifest.Files.In(folder);
        var fingerprints = new Dictionary<string, string>(StringComparer.Ordinal);
        var seen = new List<ModelFile>();
        foreach ((var component, var parts) in Components(files))
        {
            if (parts.Count > 0)
            {
                fingerprints[component] = await FingerprintAsync(manifest.Shape.Id, component, parts, seen, cancellationToken);
            }
        }

        foreach (var lora in files.Loras.Values.Concat(files.LorasLowNoise.Values).Distinct(StringComparer.Ordinal))
        {
            seen.Add(await LookAsync("lora", lora, cancellationToken));
        }

        return new InstalledModel(
            manifest.Shape,
            files,
            new ModelRegistration(manifest.Shape.Id, manifest.Shape, fingerprints)
            {
                Note = manifest.Note,
                StoredIn = StoredWeights.Of([.. files.Transformer, .. files.TransformerLowNoise]),
                Loras = [.. files.Loras.Keys.Union(files.LorasLowNoise.Keys).Order(StringComparer.Ordinal)],
                Files = seen,
            }
        );
    }

    /// <returns>The digest of all parts; that of the first which is no use takes its place.</returns>
    private async Task<string> FingerprintAsync(
        string model,
        string component,
        IReadOnlyList<string> parts,
        List<ModelFile> seen,
        CancellationToken cancellationToken
    )
    {
        foreach (var part in parts)
        {
            seen.Add(await LookAsync(component, part, cancellationToken));
        }

        try
        {
            return await CheckpointFingerprint.OfAsync(parts, cancellationToken);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            log.ComponentDamaged(model, component, fault.Message);
            return "unreadable";
        }
    }

    private static async Task<ModelFile> LookAsync(string component, string path, CancellationToken cancellationToken)
    {
        var name = Path.GetFileName(path);
        try
        {
            _ = await CheckpointFingerprint.OfAsync([path], cancellationToken);
            await using var file = File.OpenRead(path);
            return new ModelFile(component, name, file.Length, ModelFileState.There);
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            return new ModelFile(component, name, null, ModelFileState.Missing);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return new ModelFile(component, name, null, ModelFileState.Damaged);
        }
    }

    private static IEnumerable<(string, IReadOnlyList<string>)> Components(ModelFiles files) =>
        [
            ("transformer", files.Transformer),
            ("transformer_low_noise", files.TransformerLowNoise),
            ("text_encoder", files.TextEncoder),
            ("tokenizer", [files.Tokenizer]),
            ("vae", files.Vae),
            ("image_encoder", files.ImageEncoder),
        ];

    private static bool Same(IReadOnlyDictionary<string, InstalledModel> before, Dictionary<string, InstalledModel> after) =>
        before.Count == after.Count && after.All(pair => before.TryGetValue(pair.Key, out var old) && Json(old) == Json(pair.Value));

    private static string Json(InstalledModel model) =>
        JsonSerializer.Serialize(model.Registration, ContractsJson.Default.ModelRegistration);
}
