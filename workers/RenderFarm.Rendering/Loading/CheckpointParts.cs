using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Rendering.Loading;

/// <summary>The files of a checkpoint.</summary>
public sealed class CheckpointParts(ModelFiles files, ModelShape shape) : IModelParts
{
    public void Require()
    {
        var needed = new List<ModelPart> { ModelPart.Transformer, ModelPart.TextEncoder, ModelPart.Vae };
        if (shape.Experts == 2) needed.Add(ModelPart.TransformerLowNoise);
        if (shape.ImageEncoder is not null) needed.Add(ModelPart.ImageEncoder);
        foreach (var part in needed.Where(part => Files(part).Count == 0))
            throw Missing($"its {ModelManifest.FileName} names no file for {part}; scan its folder again (farm models scan)");
        foreach (var file in needed.SelectMany(Files).Append(files.Tokenizer).Where(file => !File.Exists(file)))
            throw Missing($"{file} is missing on this worker; put it there or remove the model");
    }

    private RenderException Missing(string what) => new(FailureReason.ModelUnavailable, $"{shape.Id}: {what}");

    public SentencePieceTokenizer Tokenizer() => SentencePieceTokenizer.Load(files.Tokenizer);

    public ITensorSource Open(ModelPart part) => CheckpointFiles.Open(Files(part));

    /// <summary>By path, size and time of each file: reading 28 GB to name them would take as long as preparing them.</summary>
    public string Fingerprint(ModelPart part)
    {
        var text = string.Join('\n', Files(part).Select(path => new FileInfo(path)).Select(file =>
            string.Create(CultureInfo.InvariantCulture, $"{file.FullName} {file.Length} {file.LastWriteTimeUtc.Ticks}")));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..24];
    }

    private IReadOnlyList<string> Files(ModelPart part) => part switch
    {
        ModelPart.TextEncoder => files.TextEncoder,
        ModelPart.Transformer => files.Transformer,
        ModelPart.TransformerLowNoise => files.TransformerLowNoise,
        ModelPart.Vae => files.Vae,
        ModelPart.ImageEncoder => files.ImageEncoder,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "is no part of a model"),
    };
}
