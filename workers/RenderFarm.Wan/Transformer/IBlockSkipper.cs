using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>Whether the blocks of one forward run.</summary>
public interface IBlockSkipper
{
    /// <summary>What to add to the tokens instead of running the blocks, [B, L, dim] in any floating type; null to run them.</summary>
    Tensor? Instead(Modulation modulation);

    /// <summary>They ran, and added this: float32 [B, L, dim], which belongs to the caller.</summary>
    void Ran(Tensor difference);
}
