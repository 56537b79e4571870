using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning;

/// <summary>
/// Contexts of one job, float32 [n, text dim] each, in host memory: on a card they would keep the ranges of its pool that they
/// lie in from going back between the stages. Owns them.
/// </summary>
/// <param name="Unconditional">Null where the guidance scale needs none.</param>
public sealed record EncodedPrompts(Tensor Conditional, Tensor? Unconditional) : IDisposable
{
    /// <summary>Tokens of the prompt that did not fit into the text length and were left out.</summary>
    public int DroppedTokens { get; init; }

    /// <summary>Words of the prompt that mean nothing to the model and were left out.</summary>
    public IReadOnlyList<string> UnknownWords { get; init; } = [];

    public void Dispose()
    {
        Conditional.Dispose();
        Unconditional?.Dispose();
    }
}

/// <summary>Tokenizer and text encoder, loaded for one job and let go of as soon as its prompts are encoded.</summary>
public sealed class PromptEncoder : IDisposable
{
    private readonly SentencePieceTokenizer _tokenizer;
    private readonly ITensorSource _source;
    private readonly Loaded<Umt5Encoder> _encoder;
    private readonly IDisposable? _layers;
    private readonly int _textLength;

    /// <param name="source">Where the encoder reads rows of its embedding table; taken over, as the encoder is.</param>
    /// <param name="layers">What holds the encoder's layers, where its weights don't; taken over.</param>
    /// <param name="textLength">Tokens that the DiT takes.</param>
    public PromptEncoder(
        SentencePieceTokenizer tokenizer,
        ITensorSource source,
        Loaded<Umt5Encoder> encoder,
        IDisposable? layers,
        int textLength
    ) => (_tokenizer, _source, _encoder, _layers, _textLength) = (tokenizer, source, encoder, layers, textLength);

    /// <param name="negativePrompt">Null where no unconditional prediction is needed.</param>
    /// <param name="afterLayer">Called after every layer; may throw to end the encoding.</param>
    public EncodedPrompts Encode(string prompt, string? negativePrompt, Action? afterLayer = null)
    {
        var tokens = Tokens(prompt);
        var conditional = Encode(tokens, afterLayer);
        var unconditional = negativePrompt is null ? null : Encode(Tokens(negativePrompt), afterLayer);
        return new EncodedPrompts(conditional, unconditional)
        {
            DroppedTokens = tokens.Dropped,
            UnknownWords = UnknownWords.Of(prompt, _tokenizer),
        };
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _layers?.Dispose();
        _source.Dispose();
    }

    private PromptTokens Tokens(string prompt) => PromptTokens.From(UnknownWords.LeftOut(prompt, _tokenizer), _tokenizer, _textLength);

    private Tensor Encode(PromptTokens tokens, Action? afterLayer)
    {
        using var scope = NewDisposeScope();
        return _encoder.Module.Encode(tokens.Ids, (_, _) => afterLayer?.Invoke()).cpu().MoveToOuterDisposeScope();
    }
}
