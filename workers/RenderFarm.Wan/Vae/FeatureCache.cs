using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// What the convolutions of one pass remember of the chunk before: the last frames that went into each. One per pass,
/// tile and direction; a cache that was used for another video would bleed it into this one. Owns its tensors.
/// </summary>
/// <param name="framesAsChannels">See <see cref="WanVae.FramesAsChannels"/>.</param>
internal sealed class FeatureCache(bool framesAsChannels = false) : IDisposable
{
    private readonly Dictionary<object, Tensor> _frames = new(ReferenceEqualityComparer.Instance);

    public bool FramesAsChannels => framesAsChannels;

    /// <summary>The first chunk is a single frame, with nothing before it: time is neither halved nor doubled there.</summary>
    public bool IsFirstChunk { get; private set; } = true;

    public void NextChunk() => IsFirstChunk = false;

    /// <summary>Frames that the layer kept, [B, C, 1 or 2, H, W], or null.</summary>
    public Tensor? Of(object layer) => _frames.GetValueOrDefault(layer);

    /// <summary>Keeps the last <paramref name="count"/> frames of what went into the layer.</summary>
    /// <param name="input">With the frames kept before in front of it, in memory of its own; may be shorter than count.</param>
    public void Keep(object layer, Tensor input, long count)
    {
        var frames = Math.Min(count, input.shape[2]);
        // Copies: a view would keep the whole chunk alive. In place from the third chunk on, so that what a card's pool
        // reserves does not grow around ever new tensors that outlive their chunk
        using var last = input.narrow(2, input.shape[2] - frames, frames);
        if (_frames.TryGetValue(layer, out var kept) && kept.shape.SequenceEqual(last.shape))
        {
            kept.copy_(last);
            return;
        }
        kept?.Dispose();
        _frames[layer] = last.clone().DetachFromDisposeScope();
    }

    public void Dispose()
    {
        foreach (var frames in _frames.Values)
        {
            frames.Dispose();
        }

        _frames.Clear();
    }
}
