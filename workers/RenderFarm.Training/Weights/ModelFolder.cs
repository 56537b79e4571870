using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using static TorchSharp.torch;

namespace RenderFarm.Training.Weights;

/// <summary>A model's folder as <c>models scan</c> and the worker know it, weights in float16.</summary>
internal sealed class ModelFolder(string folder)
{
    public const string Transformer = "diffusion_pytorch_model.safetensors";
    public const string TextEncoder = "models_t5_umt5-xxl-enc-bf16.safetensors";
    public const string Vae = "Wan2.2_VAE.safetensors";

    private static readonly string Tokenizer = Path.Combine("google", "umt5-xxl", "spiece.model");

    public string PathOf(string file) => Path.Combine(folder, file);

    /// <param name="tensors">On any device, in any type.</param>
    public void Write(string file, IReadOnlyDictionary<string, Tensor> tensors)
    {
        Directory.CreateDirectory(folder);
        var half = ElementType.Of(ScalarType.Float16);
        using var writer = new SafetensorsWriter(
            PathOf(file),
            tensors.Select(t => new TensorEntry(t.Key, half, t.Value.shape)),
            new Dictionary<string, string> { ["format"] = "pt" }
        );
        foreach (var (name, tensor) in tensors)
        {
            using var scope = NewDisposeScope();
            writer.Write(name, tensor.detach().to(ScalarType.Float16));
        }
        writer.Complete();
    }

    public void Write(SentencePieceModel tokenizer)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(Tokenizer))!);
        SentencePieceModelWriter.Write(tokenizer, PathOf(Tokenizer));
    }

    /// <summary>Last: a folder with a manifest is whole.</summary>
    public void WriteManifest(ModelShape shape, string? note)
    {
        var manifest = new ModelManifest
        {
            Shape = shape,
            Note = note,
            Files = new ModelFiles
            {
                Transformer = [Transformer],
                TextEncoder = [TextEncoder],
                Tokenizer = Tokenizer,
                Vae = [Vae],
            },
        };
        File.WriteAllBytes(
            PathOf(ModelManifest.FileName),
            JsonSerializer.SerializeToUtf8Bytes(manifest, ContractsJson.Default.ModelManifest)
        );
    }
}
