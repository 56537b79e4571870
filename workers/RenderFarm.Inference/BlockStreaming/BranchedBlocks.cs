using RenderFarm.Inference.Layers;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>Tells the branches which block runs.</summary>
public sealed class BranchedBlocks<TBlock>(IBlockSource<TBlock> blocks, SideBranches branches) : IBlockSource<TBlock>
{
    public int Count => blocks.Count;

    public TBlock Enter(int index)
    {
        branches.Block = index;
        return blocks.Enter(index);
    }

    public void Leave(int index) => blocks.Leave(index);
}
