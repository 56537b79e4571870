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
        var (ids, dropped) = Ids(prompt);
        var conditional = Encode(ids, afterLayer);
        var unconditional = negativePrompt is null ? null : Encode(Ids(negativePrompt).Ids, afterLayer);
        return new EncodedPrompts(conditional, unconditional) { DroppedTokens = dropped };
    }

    public void Dispose()
    {
        encoder.Dispose();
        source.Dispose();
    }

    /// <summary>Cut to the length that the DiT was trained with, always with the end piece behind.</summary>
    private (long[] Ids, int Dropped) Ids(string prompt)
    {
        var ids = tokenizer.Encode(prompt);
        var kept = Math.Min(ids.Count, textLength - 1);
        return ([.. ids.Take(kept).Select(id => (long)id), tokenizer.EndId], ids.Count - kept);
    }

    private Tensor Encode(long[] ids, Action? afterLayer) => encoder.Module.Encode(ids, (_, _) => afterLayer?.Invoke());
}
