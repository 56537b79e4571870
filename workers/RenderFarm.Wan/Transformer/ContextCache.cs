using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>Keys and values of one block's cross-attention, each [B, S, H, D].</summary>
public sealed record ContextKeyValues(Tensor TextKeys, Tensor TextValues, Tensor? ImageKeys, Tensor? ImageValues) : IDisposable
{
    internal ContextKeyValues Detached()
    {
        foreach (var tensor in All)
        {
            tensor.DetachFromDisposeScope();
        }

        return this;
    }

    public void Dispose()
    {
        foreach (var tensor in All)
        {
            tensor.Dispose();
        }
    }

    private IEnumerable<Tensor> All => new[] { TextKeys, TextValues, ImageKeys, ImageValues }.OfType<Tensor>();
}

/// <summary>
/// A prompt as the DiT sees it: the embedded text and picture, and each block's keys and values of them, which do not
/// depend on latent or timestep. A block's are formed when it first runs (a streamed block's weights are there only then)
/// and kept for the steps that follow: 400 MiB of bf16 for 14B, or formed anew each time where memory is short.
/// Owns its tensors; belongs to one model and one prompt.
/// </summary>
public sealed class ContextCache : IDisposable
{
    private readonly Tensor _text;
    private readonly Tensor? _image;
    private readonly bool _keep;
    private readonly Dictionary<int, ContextKeyValues> _kept = [];

    internal ContextCache(Tensor text, Tensor? image, bool keep)
    {
        _text = text.DetachFromDisposeScope();
        _image = image?.DetachFromDisposeScope();
        _keep = keep;
    }

    /// <summary>Cross-attention of one block to this prompt; takes x over.</summary>
    internal Tensor Attend(int block, CrossAttention attention, Activation x, ITokenOps ops)
    {
        if (_kept.TryGetValue(block, out var kept))
        {
            return attention.Apply(x, kept, ops);
        }

        var keyValues = attention.KeysAndValues(_text, _image, ops);
        if (_keep)
        {
            _kept.Add(block, keyValues);
            return attention.Apply(x, keyValues, ops);
        }
        using (keyValues)
        {
            return attention.Apply(x, keyValues, ops);
        }
    }

    public void Dispose()
    {
        _text.Dispose();
        _image?.Dispose();
        foreach (var keyValues in _kept.Values)
        {
            keyValues.Dispose();
        }

        _kept.Clear();
    }
}
