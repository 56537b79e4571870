using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// What the convolutions of one pass remember of the chunk before: the last frames that went into each. One per pass,
/// tile and direction; a cache that was used for another video would bleed it into this one. Owns its tensors.
/// </summary>
/// <param name="ops">What the pass is computed by.</param>
internal sealed class FeatureCache(IFrameOps ops) : IDisposable
{
    private readonly Dictionary<object, Tensor> _frames = new(ReferenceEqualityComparer.Instance);
    private Tensor? _memory;
    private long _reserved,
        _scratch,
        _given;

    public IFrameOps Ops => ops;

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

    /// <summary>
    /// Rooms to come lie in one run of memory, with what is used over and over behind them. One by one they would lie between what lives
    /// for a moment, and a card's pool would grow around them.
    /// </summary>
    /// <param name="values">Of all rooms together; those that don't fit in any more get memory of their own.</param>
    /// <param name="scratch">For one tensor at a time that ends with the step it is made in.</param>
    public void Reserve(double values, double scratch) => (_reserved, _scratch) = ((long)values, (long)scratch);

    /// <summary>Whoever takes it is the only one until its last kernel is enqueued; null where none is reserved.</summary>
    /// <param name="like">Says type and device.</param>
    public Tensor? Scratch(Tensor like) => _scratch == 0 ? null : Memory(like).narrow(0, _reserved, _scratch);

    /// <summary>Memory of a shape of its own that the layer keeps its last frames in; zeros at first.</summary>
    /// <param name="like">Says type and device.</param>
    public Tensor Room(object layer, long[] shape, Tensor like)
    {
        if (_frames.TryGetValue(layer, out var room))
        {
            return room;
        }

        using var scope = NewDisposeScope();
        var count = shape.Aggregate(1L, (product, size) => product * size);
        if (_given + count <= _reserved)
        {
            room = Memory(like).narrow(0, _given, count).view(shape).DetachFromDisposeScope();
            _given += count;
        }
        else
        {
            room = zeros(shape, dtype: like.dtype, device: like.device).DetachFromDisposeScope();
        }

        _frames.Add(layer, room);
        return room;
    }

    public void Dispose()
    {
        foreach (var frames in _frames.Values)
        {
            frames.Dispose();
        }

        _frames.Clear();
        _memory?.Dispose();
    }

    private Tensor Memory(Tensor like)
    {
        if (_memory is null)
        {
            _memory = empty([_reserved + _scratch], dtype: like.dtype, device: like.device).DetachFromDisposeScope();
            using var rooms = _memory.narrow(0, 0, _reserved);
            rooms.zero_();
        }

        return _memory;
    }
}
