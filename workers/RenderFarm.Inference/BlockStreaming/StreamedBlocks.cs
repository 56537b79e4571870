namespace RenderFarm.Inference.BlockStreaming;

/// <summary>
/// Blocks of which some are resident and the rest come through a ring of slots. A block object is built once for each slot
/// and is every block that passes through it.
/// </summary>
public sealed class StreamedBlocks<TBlock> : IBlockSource<TBlock>, IDisposable
{
    private readonly BlockRing _ring;
    private readonly IReadOnlyDictionary<int, TBlock> _resident;
    private readonly IReadOnlyList<TBlock> _slots;
    private readonly IBlockCopier _copier;

    /// <summary>Begins the first copies.</summary>
    /// <param name="ring">The slots' memory, and which block lies in which.</param>
    /// <param name="resident">Block objects over memory of their own, by block index.</param>
    /// <param name="slots">Block objects over the ring's memory, one a slot.</param>
    /// <param name="copier">Brings a block into its slot.</param>
    public StreamedBlocks(BlockRing ring, IReadOnlyDictionary<int, TBlock> resident, IReadOnlyList<TBlock> slots, IBlockCopier copier)
    {
        if (slots.Count != ring.Slots)
        {
            throw new ArgumentException($"{slots.Count} block objects for {ring.Slots} ring slots", nameof(slots));
        }

        (_ring, _resident, _slots, _copier) = (ring, resident, slots, copier);
        foreach (var fill in ring.Start())
        {
            copier.Begin(fill.Block, fill.Slot);
        }
    }

    public int Count => _ring.Blocks;

    public TBlock Enter(int index)
    {
        var slot = _ring.Enter(index);
        if (slot < 0)
        {
            return _resident[index];
        }

        _copier.Await(slot);
        return _slots[slot];
    }

    public void Leave(int index)
    {
        if (_ring.Leave(index) is not { } fill)
        {
            return;
        }

        _copier.Release(fill.Slot);
        _copier.Begin(fill.Block, fill.Slot);
    }

    public void Dispose() => _copier.Dispose();
}
