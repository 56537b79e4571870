using RenderFarm.Cuda;
using RenderFarm.Cuda.Aten;
using RenderFarm.Cuda.Memory;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Loading;

/// <summary>
/// Blocks on a device as the plan has them: some in memory of their own, the rest through a ring of slots that is refilled
/// from prepared blocks. Owns that memory, and the prepared blocks for as long as any of them is streamed.
/// </summary>
public sealed class PlacedBlocks<TBlock> : IDisposable
{
    private readonly BlockLayout _layout;
    private readonly PreparedBlocks _prepared;
    private readonly Device _device;
    private readonly FusedTokenOps? _ops;
    private readonly bool _copiesInTurn;
    private readonly Func<IWeights, TBlock> _build;
    private readonly List<Tensor> _memory = [];
    private readonly List<LaidOutWeights> _weights = [];
    private StreamedBlocks<TBlock>? _streamed;

    /// <param name="prepared">Taken over.</param>
    /// <param name="build">Builds one block over its weights.</param>
    /// <param name="ops">Kernels of the card; null in host memory.</param>
    /// <param name="copiesInTurn">Streamed blocks are copied in turn with computing instead of beside it.</param>
    public PlacedBlocks(
        BlockLayout layout,
        PreparedBlocks prepared,
        BlockRing ring,
        Func<IWeights, TBlock> build,
        Device device,
        FusedTokenOps? ops,
        bool copiesInTurn = false
    )
    {
        (_layout, _prepared, _build, _device, _ops, _copiesInTurn) = (layout, prepared, build, device, ops, copiesInTurn);
        try
        {
            Fill(ring);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>In the order they run.</summary>
    public IBlockSource<TBlock> Source => _streamed ?? throw new ObjectDisposedException(nameof(PlacedBlocks<TBlock>));

    public void Dispose()
    {
        _streamed?.Dispose(); // Waits for copies under way
        _streamed = null;
        foreach (var weights in _weights)
        {
            weights.Dispose();
        }

        foreach (var memory in _memory)
        {
            memory.Dispose();
        }

        _weights.Clear();
        _memory.Clear();
        _prepared.Dispose();
    }

    private void Fill(BlockRing ring)
    {
        var onCard = _device.type == DeviceType.CUDA;
        var locking = onCard ? _prepared.Register() : PageLocking.Staged;

        var resident = new Dictionary<int, TBlock>();
        foreach (var block in ring.Resident)
        {
            resident.Add(block, Take(out var memory));
            if (onCard)
            {
                DeviceCopy.ToDevice(AtenOps.DataPointer(memory), _prepared.Block(block), _layout.Bytes, CudaStream.Default);
            }
            else
            {
                Copy(memory, block);
            }
        }
        var slots = new List<TBlock>();
        var slotMemory = new List<Tensor>();
        for (var slot = 0; slot < ring.Slots; slot++)
        {
            slots.Add(Take(out var memory));
            slotMemory.Add(memory);
        }
        if (onCard)
        {
            CudaDevice.Synchronize();
        }

        IBlockCopier copier =
            !onCard || ring.Slots == 0 ? new PlainBlockCopier(_prepared.Address, _layout.Bytes, slotMemory)
            : locking == PageLocking.Staged && !_copiesInTurn ? new StagedBlockCopier(_prepared.Address, _layout.Bytes, slotMemory)
            : new CudaBlockCopier(_prepared.Address, _layout.Bytes, slotMemory, _copiesInTurn);
        _streamed = new StreamedBlocks<TBlock>(ring, resident, slots, copier);
        if (ring.Slots == 0)
        {
            _prepared.Dispose();
        }
    }

    private TBlock Take(out Tensor memory)
    {
        memory = empty([_layout.Bytes], dtype: ScalarType.Byte, device: _device).DetachFromDisposeScope();
        _memory.Add(memory);
        var weights = new LaidOutWeights(_layout, memory, _ops);
        _weights.Add(weights);
        return _build(weights);
    }

    private unsafe void Copy(Tensor memory, int block) => TensorMemory.CopyInto(memory, (byte*)_prepared.Block(block), _layout.Bytes);
}
