namespace RenderFarm.Inference.BlockStreaming;

/// <summary>Where the equal blocks of a model come from. Entered and left in order, one at a time, forward after forward.</summary>
public interface IBlockSource<out TBlock>
{
    int Count { get; }

    /// <summary>A block whose weights work enqueued from now on may read.</summary>
    TBlock Enter(int index);

    /// <summary>All work on the block has been enqueued; once that is done its memory may be overwritten.</summary>
    void Leave(int index);
}

/// <summary>All blocks at hand, all the time.</summary>
public sealed class ResidentBlocks<TBlock>(IReadOnlyList<TBlock> blocks) : IBlockSource<TBlock>
{
    public int Count => blocks.Count;

    public TBlock Enter(int index) => blocks[index];

    public void Leave(int index) { }
}
