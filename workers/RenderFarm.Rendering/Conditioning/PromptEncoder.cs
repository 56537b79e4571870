using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning;

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

    /// <param name="afterLayer">Called after every layer; may throw to end the encoding.</param>
    public EncodedPrompt Encode(string prompt, Action? afterLayer = null)
    {
        var tokens = Tokens(prompt);
        using var scope = NewDisposeScope();
        var context = _encoder.Module.Encode(tokens.Ids, (_, _) => afterLayer?.Invoke()).cpu().MoveToOuterDisposeScope();
        return new EncodedPrompt(context, tokens.Dropped, UnknownWords.Of(prompt, _tokenizer));
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _layers?.Dispose();
        _source.Dispose();
    }

    private PromptTokens Tokens(string prompt) => PromptTokens.From(UnknownWords.LeftOut(prompt, _tokenizer), _tokenizer, _textLength);
}
