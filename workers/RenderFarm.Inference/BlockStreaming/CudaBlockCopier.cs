using RenderFarm.Cuda;
using RenderFarm.Cuda.Aten;
using RenderFarm.Cuda.Memory;
using static TorchSharp.torch;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>
/// Copies on a stream of their own beside libtorch's, ordered by two events a slot: <c>filled</c>, which computing waits
/// for, and <c>released</c>, which the next copy into the slot waits for. The source must be page-locked, or copies are
/// neither fast nor beside anything.
/// </summary>
public sealed class CudaBlockCopier : IBlockCopier
{
    private readonly nint _source;
    private readonly long _blockBytes;
    private readonly IReadOnlyList<Tensor> _slots;
    private readonly CudaStream _stream;
    private readonly CudaEvent[] _filled,
        _released;

    /// <param name="source">Blocks one after the other, in registered host memory.</param>
    /// <param name="slots">Device memory, at least a block's bytes each.</param>
    /// <param name="inTurn">On libtorch's own stream, each copy after the computing before it: slower, and free of any fault of
    /// ordering.</param>
    public CudaBlockCopier(nint source, long blockBytes, IReadOnlyList<Tensor> slots, bool inTurn = false)
    {
        (_source, _blockBytes, _slots) = (source, blockBytes, slots);
        _stream = inTurn ? CudaStream.Default : CudaStream.Create();
        _filled = [.. slots.Select(_ => CudaEvent.Create())];
        _released = [.. slots.Select(_ => CudaEvent.Create())];
        // Slots come from libtorch's stream-ordered allocator: their memory may be in use by earlier work until this point.
        foreach (var released in _released)
        {
            released.Record(CudaStream.Default);
        }
    }

    public void Begin(int block, int slot)
    {
        _stream.WaitFor(_released[slot]);
        DeviceCopy.ToDevice(AtenOps.DataPointer(_slots[slot]), _source + (nint)(block * _blockBytes), _blockBytes, _stream);
        _filled[slot].Record(_stream);
    }

    public void Await(int slot) => CudaStream.Default.WaitFor(_filled[slot]);

    public void Release(int slot) => _released[slot].Record(CudaStream.Default);

    /// <summary>Waits for copies under way: they write into memory that is about to be freed.</summary>
    public void Dispose()
    {
        _stream.Synchronize();
        if (_stream != CudaStream.Default)
        {
            _stream.Dispose();
        }

        foreach (var mark in _filled.Concat(_released))
        {
            mark.Dispose();
        }
    }
}
