using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning;

/// <summary>Contexts of one job, float32 [n, text dim] each; owns them.</summary>
/// <param name="Unconditional">Null where the guidance scale needs none.</param>
public sealed record EncodedPrompts(Tensor Conditional, Tensor? Unconditional) : IDisposable
{
    /// <summary>Tokens of the prompt that did not fit into the text length and were left out.</summary>
    public int DroppedTokens { get; init; }

    public void Dispose()
    {
        Conditional.Dispose();
        Unconditional?.Dispose();
    }
}

/// <summary>Tokenizer and text encoder, loaded for one job and let go of as soon as its prompts are encoded.</summary>
public sealed class PromptEncoder : IDisposable
{
    private readonly SentencePieceTokenizer tokenizer;
    private readonly ITensorSource source; // stays open: rows of the embedding table are read from the file
    private readonly Loaded<Umt5Encoder> encoder;
    private readonly int textLength;

    private PromptEncoder(SentencePieceTokenizer tokenizer, ITensorSource source, Loaded<Umt5Encoder> encoder, int textLength) =>
        (this.tokenizer, this.source, this.encoder, this.textLength) = (tokenizer, source, encoder, textLength);

    public static PromptEncoder Load(ModelFiles files, ModelShape shape, Device device, ScalarType computeType)
    {
        var tokenizer = SentencePieceTokenizer.Load(files.Tokenizer);
        var source = CheckpointFiles.Open(files.TextEncoder);
        try
        {
            return new PromptEncoder(tokenizer, source, Umt5Encoder.Load(source, shape.TextEncoder, device, computeType), shape.Transformer.TextLength);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <param name="negativePrompt">Null where no unconditional prediction is needed.</param>
    /// <param name="afterLayer">Called after every layer; may throw to end the encoding.</param>
    public EncodedPrompts Encode(string prompt, string? negativePrompt, Action? afterLayer = null)
    {
        var tokens = PromptTokens.From(prompt, tokenizer, textLength);
        var conditional = Encode(tokens, afterLayer);
        var unconditional = negativePrompt is null ? null : Encode(PromptTokens.From(negativePrompt, tokenizer, textLength), afterLayer);
        return new EncodedPrompts(conditional, unconditional) { DroppedTokens = tokens.Dropped };
    }

    public void Dispose()
    {
        encoder.Dispose();
        source.Dispose();
    }

    private Tensor Encode(PromptTokens tokens, Action? afterLayer) => encoder.Module.Encode(tokens.Ids, (_, _) => afterLayer?.Invoke());
}
