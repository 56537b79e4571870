namespace RenderFarm.Wan.Transformer;

/// <summary>Where the blocks of a forward come from. Entered and left in order, one at a time.</summary>
public interface IBlockSource
{
    int Count { get; }

    /// <summary>A block whose weights work enqueued from now on may read.</summary>
    WanBlock Enter(int index);

    /// <summary>All work on the block has been enqueued; once that is done its memory may be overwritten.</summary>
    void Leave(int index);
}

/// <summary>All blocks at hand, all the time.</summary>
public sealed class ResidentBlocks(IReadOnlyList<WanBlock> blocks) : IBlockSource
{
    public int Count => blocks.Count;

    public WanBlock Enter(int index) => blocks[index];

    public void Leave(int index)
    {
    }
}
