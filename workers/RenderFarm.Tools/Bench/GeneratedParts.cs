using System.Globalization;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Rendering.Loading;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Loras;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench;

/// <summary>A model whose checkpoint is generated tensor by tensor on the card, as the loaders ask for it.</summary>
internal sealed class GeneratedParts(ModelShape shape, long seed, Device device) : IModelParts
{
    public void Require() { }

    public SentencePieceTokenizer Tokenizer()
    {
        var path = Path.GetTempFileName();
        try
        {
            SentencePieceModelWriter.Write(
                SentencePieceModelWriter.Small(
                    "a an the red ball rolls slowly to right over wet grass in morning light blurry low quality".Split(' ')
                ),
                path
            );
            return SentencePieceTokenizer.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public ITensorSource Open(ModelPart part) =>
        part switch
        {
            ModelPart.TextEncoder => new Source(
                "generated text encoder",
                Layouts.TextEncoder(shape.TextEncoder),
                ElementType.Of(ScalarType.BFloat16),
                seed,
                device
            ),
            ModelPart.Transformer or ModelPart.TransformerLowNoise => new Source(
                "generated DiT",
                Layouts.Transformer(shape.Transformer),
                ElementType.Of(ScalarType.BFloat16),
                seed,
                device
            ),
            ModelPart.ImageEncoder => new Source(
                "generated image encoder",
                Layouts.ImageEncoder(shape.ImageEncoder!),
                ElementType.Of(ScalarType.Float16),
                seed,
                device
            ),
            _ => new Source("generated VAE", Layouts.Vae(shape.Vae), ElementType.Of(ScalarType.Float32), seed, device),
        };

    public IReadOnlyList<NamedLora> Loras(ModelPart part, IReadOnlyList<LoraReference> requested) => [];

    public string Fingerprint(ModelPart part) =>
        string.Create(CultureInfo.InvariantCulture, $"generated-{shape.Id}-{seed}-{part}").ToLowerInvariant();

    private sealed class Source(string name, IReadOnlyList<ExpectedTensor> tensors, ElementType type, long seed, Device device)
        : ITensorSource
    {
        public string Name => name;

        public IReadOnlyDictionary<string, TensorEntry> Entries { get; } =
            tensors.ToDictionary(tensor => tensor.Name, tensor => new TensorEntry(tensor.Name, type, tensor.Shape), StringComparer.Ordinal);

        /// <summary>On the card: whoever prepares it rounds it there anyway.</summary>
        public Tensor Load(string tensor) => Generate(tensor, [.. Entries[tensor].Shape]);

        /// <summary>As many rows as asked for, the same for the same number: a table of 2 GiB is not made for twenty of them.</summary>
        public Tensor LoadRows(string tensor, IReadOnlyList<long> rows)
        {
            using var generated = Generate(tensor, [rows.Count, .. Entries[tensor].Shape.Skip(1)]);
            return generated.cpu().DetachFromDisposeScope();
        }

        public void Dispose() { }

        private Tensor Generate(string tensor, long[] sizes)
        {
            using var generated = new GeneratedWeights(seed, device);
            using var values = generated.Values(tensor, sizes);
            return values.to(type.ScalarType).DetachFromDisposeScope();
        }
    }
}
