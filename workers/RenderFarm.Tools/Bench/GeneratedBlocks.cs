using RenderFarm.Contracts.Models;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Aten;
using RenderFarm.Cuda.Memory;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench;

/// <summary>Blocks of generated weights, laid out and quantised as a render has them.</summary>
internal sealed class GeneratedBlocks(TransformerShape shape, WeightFormat format, long seed, FusedTokenOps ops, Device device)
{
    public BlockLayout Layout { get; } = BlockLayout.Of(weights => new WanBlock(weights, shape), format);

    public Tensor Memory() => empty([Layout.Bytes], dtype: ScalarType.Byte, device: device).DetachFromDisposeScope();

    public WanBlock Over(LaidOutWeights weights) => new(weights, shape);

    public LaidOutWeights Weights(Tensor memory) => new(Layout, memory, ops);

    /// <summary>Generates a block into device memory.</summary>
    public void Fill(int block, Tensor memory)
    {
        using var generated = new GeneratedWeights(seed, device, $"blocks.{block}.");
        foreach (var group in Layout.Tensors.GroupBy(tensor => tensor.Name))
        {
            using var scope = NewDisposeScope();
            var values = generated.Values(group.Key, [.. group.First().Shape]);
            var code = EightBits.TypeOf(Layout.Format) == Int8.Type ? RowFormat.Int8 : RowFormat.Float8;
            var rounds = group.Any(part => part.Part == StoredPart.EightBitWeight);
            var rows = rounds ? ops.Quantize(values.unsqueeze(0), code, gelu: false) : default;
            foreach (var part in group)
            {
                var source = part.Part switch
                {
                    StoredPart.EightBitWeight => AtenOps.ViewAs(rows.Values, ScalarType.Byte).squeeze(0),
                    StoredPart.EightBitScales => rows.Scales!.squeeze(0),
                    _ => values,
                };
                var type = part.Part == StoredPart.EightBitWeight ? ScalarType.Byte : part.Type;
                using var place = AtenOps.FromMemory(AtenOps.DataPointer(memory) + (nint)part.Offset, [.. part.Shape], type, device);
                place.copy_(source);
            }
            values.Dispose();
        }
    }

    /// <summary>Generates all blocks into a file in shared memory and page-locks it.</summary>
    public PreparedBlocks Prepare(string path)
    {
        using var memory = Memory();
        var prepared = PreparedBlocks.Create(
            path,
            Layout,
            shape.Layers,
            new BlockFiller(
                (block, address) =>
                {
                    Fill(block, memory);
                    CudaDevice.Synchronize();
                    DeviceCopy.ToHost(address, AtenOps.DataPointer(memory), Layout.Bytes, CudaStream.Default);
                    CudaDevice.Synchronize();
                }
            )
        );
        prepared.Register();
        return prepared;
    }
}
