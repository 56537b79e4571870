using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Loras;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Rendering.Loading;

/// <summary>The files of a checkpoint.</summary>
public sealed class CheckpointParts(ModelFiles files, ModelShape shape) : IModelParts
{
    public void Require()
    {
        var needed = new List<ModelPart> { ModelPart.Transformer, ModelPart.TextEncoder, ModelPart.Vae };
        if (shape.Experts == 2)
        {
            needed.Add(ModelPart.TransformerLowNoise);
        }

        if (shape.ImageEncoder is not null)
        {
            needed.Add(ModelPart.ImageEncoder);
        }

        foreach (var part in needed.Where(part => Files(part).Count == 0))
        {
            throw Missing($"its {ModelManifest.FileName} names no file for {part}; scan its folder again (farm models scan)");
        }

        foreach (var file in needed.SelectMany(Files).Append(files.Tokenizer).Where(file => !File.Exists(file)))
        {
            throw Missing($"{file} is missing on this worker; put it there or remove the model");
        }
    }

    private RenderException Missing(string what) => new(FailureReason.ModelUnavailable, $"{shape.Id}: {what}");

    public SentencePieceTokenizer Tokenizer() => SentencePieceTokenizer.Load(files.Tokenizer);

    /// <summary>In the original layout, whatever layout the files have.</summary>
    public ITensorSource Open(ModelPart part) =>
        OriginalSource.Of(
            CheckpointFiles.Open(Files(part)),
            part switch
            {
                ModelPart.TextEncoder => CheckpointKind.TextEncoder,
                ModelPart.Vae => CheckpointKind.Vae,
                ModelPart.ImageEncoder => CheckpointKind.ImageEncoder,
                _ => CheckpointKind.Transformer,
            }
        );

    public IReadOnlyList<NamedLora> Loras(ModelPart part, IReadOnlyList<LoraReference> requested)
    {
        var here = part == ModelPart.TransformerLowNoise ? files.LorasLowNoise : files.Loras;
        var opened = new List<NamedLora>();
        try
        {
            foreach (var lora in requested)
            {
                if (here.TryGetValue(lora.Name, out var path))
                {
                    opened.Add(new NamedLora(lora.Name, lora.Strength, CheckpointFiles.Open(path)));
                }
                else if (!files.Loras.ContainsKey(lora.Name) && !files.LorasLowNoise.ContainsKey(lora.Name))
                {
                    throw new RenderException(
                        FailureReason.InvalidRequest,
                        $"{shape.Id} has no LoRA '{lora.Name}' on this worker; there are: {Names()}"
                    );
                }
            }
            return opened;
        }
        catch
        {
            opened.ForEach(lora => lora.Source.Dispose());
            throw;
        }
    }

    private string Names() =>
        files.Loras.Keys.Union(files.LorasLowNoise.Keys).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } names
            ? string.Join(", ", names)
            : "none";

    /// <summary>By path, size and time of each file: reading 28 GB to name them would take as long as preparing them.</summary>
    public string Fingerprint(ModelPart part)
    {
        var text = string.Join(
            '\n',
            (part == ModelPart.TextEncoder ? Files(part).Append(files.Tokenizer) : Files(part)) // Other tokens make another context
                .Select(path => (Path: Path.GetFullPath(path), File: LinkedFile.Of(path)))
                .Select(one =>
                    string.Create(CultureInfo.InvariantCulture, $"{one.Path} {one.File.Length} {one.File.LastWriteTimeUtc.Ticks}")
                )
        );
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..24];
    }

    private IReadOnlyList<string> Files(ModelPart part) =>
        part switch
        {
            ModelPart.TextEncoder => files.TextEncoder,
            ModelPart.Transformer => files.Transformer,
            ModelPart.TransformerLowNoise => files.TransformerLowNoise,
            ModelPart.Vae => files.Vae,
            ModelPart.ImageEncoder => files.ImageEncoder,
            _ => throw new ArgumentOutOfRangeException(nameof(part), part, "is no part of a model"),
        };
}
