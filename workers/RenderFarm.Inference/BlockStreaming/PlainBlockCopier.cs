using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>Copies at once, in host memory: streaming without a GPU, and the switch for cards where overlapping copies misbehave.</summary>
/// <param name="source">Blocks one after the other.</param>
/// <param name="slots">At least a block's bytes each.</param>
public sealed unsafe class PlainBlockCopier(nint source, long blockBytes, IReadOnlyList<Tensor> slots) : IBlockCopier
{
    public void Begin(int block, int slot) => TensorMemory.CopyInto(slots[slot], (byte*)source + block * blockBytes, blockBytes);

    public void Await(int slot) { }

    public void Release(int slot) { }

    public void Dispose() { }
}
