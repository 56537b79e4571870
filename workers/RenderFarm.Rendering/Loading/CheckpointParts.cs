using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Rendering.Loading;

/// <summary>The files of a checkpoint.</summary>
/// <param name="model">Its id, for messages.</param>
public sealed class CheckpointParts(ModelFiles files, string model) : IModelParts
{
    public void Require()
    {
        foreach (var file in (string[])[.. files.Transformer, .. files.TextEncoder, files.Tokenizer, .. files.Vae])
        {
            if (!File.Exists(file))
                throw new RenderException(FailureReason.ModelUnavailable, $"{model}: {file} is missing on this worker; put it there or remove the model");
        }
    }

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
        ModelPart.Vae => files.Vae,
        _ => throw new ArgumentOutOfRangeException(nameof(part), part, "is no part of a model"),
    };
}
