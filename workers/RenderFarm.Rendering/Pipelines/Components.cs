using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Kernels;
using RenderFarm.Cuda.Memory;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Kernels;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Rendering.Conditioning;
using RenderFarm.Rendering.Loading;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.ImageEncoder;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// Loads the parts of a model as the render plan wants them. Each is owned by the caller and let go of before the next;
/// <see cref="TrimMemory"/> then gives its memory back to the card.
/// </summary>
/// <param name="breathe">Called from inside long loops; may throw to end them.</param>
public sealed class Components(RenderOrder order, IModelParts parts, Action breathe) : IDisposable
{
    private readonly RenderPlan plan = order.Plan;
    private readonly ModelShape shape = order.Shape;
    private readonly PreparedStore store = new(order.WeightCache);
    private TokenKernels? kernels;

    public Device Device { get; } = new(order.Plan.Device);

    private bool OnCard => Device.type == DeviceType.CUDA;

    /// <summary>Before anything takes time: the plan can be carried out here, and every file is there.</summary>
    /// <exception cref="RenderException">Says what is not so.</exception>
    public void Require()
    {
        parts.Require();
        int layers = shape.Transformer.Layers;
        if (plan.BlocksResident + plan.BlocksStreamed != layers || plan.BlocksStreamed > 0 && plan.RingSlots < 1)
            throw Unfit($"{plan.BlocksResident} resident and {plan.BlocksStreamed} streamed blocks with {plan.RingSlots} slots are no plan for the {layers} blocks of {shape.Id}");
        if (plan.Precision == Precision.Fp32 && plan.BlocksStreamed > 0)
            throw Unfit("float32 blocks are not streamed; plan bf16, fp8-weights or fp8");
        if (plan.Precision == Precision.Fp8 && !(OnCard && CudaDevice.ComputeCapability is { Major: > 8 } or { Major: 8, Minor: 9 }))
            throw Unfit($"{(OnCard ? "this card" : "a CPU")} has no fp8 products; plan fp8-weights or bf16");
    }

    /// <summary>On the host, or its layers on the card; the embedding table stays in its file.</summary>
    public PromptEncoder PromptEncoder()
    {
        var tokenizer = parts.Tokenizer();
        var source = parts.Open(ModelPart.TextEncoder); // stays open: rows of the table are read from the file
        PlacedBlocks<Umt5Layer>? layers = null;
        try
        {
            var dense = new CastUpSource(source);
            var encoder = shape.TextEncoder;
            if (!OnCard || plan.TextEncoder == TextEncoderPlacement.Cpu || plan.Precision == Precision.Fp32)
            {
                // beside a card the host's memory is planned for sixteen bits
                var type = plan.Precision == Precision.Fp32 ? ScalarType.Float32 : ScalarType.BFloat16;
                var place = plan.TextEncoder == TextEncoderPlacement.Cpu ? CPU : Device;
                return new PromptEncoder(tokenizer, source, Umt5Encoder.Load(dense, encoder, place, type), layers, shape.Transformer.TextLength);
            }
            int resident = plan.TextEncoder == TextEncoderPlacement.Resident ? encoder.Layers : 0;
            layers = Place(ModelPart.TextEncoder, source, WeightFormat.BFloat16, weights => new Umt5Layer(weights, encoder), new BlockRing(encoder.Layers, resident, slots: 2), ops: null);
            var loaded = LoadedWeights.Build(dense, Device, ScalarType.BFloat16,
                weights => new Umt5Encoder(weights, encoder, new StoredTokenRows(dense, encoder), layers.Source),
                ignorable: name => name == Umt5Encoder.TableName || IsOfBlock(name));
            return new PromptEncoder(tokenizer, source, loaded, layers, shape.Transformer.TextLength);
        }
        catch
        {
            layers?.Dispose();
            source.Dispose();
            throw;
        }
    }

    /// <summary>In float32 from the checkpoint as it is; in every other precision from prepared blocks.</summary>
    /// <param name="part">Which expert of two.</param>
    public LoadedTransformer Transformer(ModelPart part)
    {
        using var source = parts.Open(part);
        var dense = new CastUpSource(source);
        var sizes = shape.Transformer;
        if (plan.Precision == Precision.Fp32)
            return new LoadedTransformer(LoadedWeights.Build(dense, Device, ScalarType.Float32, weights => new WanModel(weights, sizes)), null);

        var ops = OnCard ? new FusedTokenOps(Kernels) : null;
        var blocks = Place(part, source, Format, weights => new WanBlock(weights, sizes), new BlockRing(sizes.Layers, plan.BlocksResident, plan.RingSlots), ops);
        try
        {
            return new LoadedTransformer(
                LoadedWeights.Build(dense, Device, ScalarType.BFloat16, weights => new WanModel(weights, sizes, blocks.Source, ops), ignorable: IsOfBlock), blocks);
        }
        catch
        {
            blocks.Dispose();
            throw;
        }
    }

    /// <summary>In sixteen bits of the kind it was published in on a card, where it is the smallest part.</summary>
    public Loaded<ClipVision> ImageEncoder()
    {
        using var source = parts.Open(ModelPart.ImageEncoder);
        var type = OnCard && plan.Precision != Precision.Fp32 ? ScalarType.Float16 : ScalarType.Float32;
        return ClipVision.Load(new CastUpSource(source), shape.ImageEncoder!, Device, type);
    }

    /// <summary>Float32 as published on a CPU and where the plan says so; bf16 on a card, which is what plans count on.</summary>
    public Loaded<WanVae> Vae()
    {
        using var source = parts.Open(ModelPart.Vae);
        var type = OnCard && plan.Precision != Precision.Fp32 ? ScalarType.BFloat16 : ScalarType.Float32;
        return LoadedWeights.Build(new CastUpSource(source), Device, type, weights => new WanVae(weights, shape.Vae));
    }

    /// <summary>Gives memory that nothing uses back to the card.</summary>
    public void TrimMemory()
    {
        if (OnCard) MemoryPool.OfDevice().Trim();
    }

    public void Dispose() => kernels?.Dispose();

    private WeightFormat Format => plan.Precision switch
    {
        Precision.Bf16 => WeightFormat.BFloat16,
        Precision.Fp8Weights => WeightFormat.Float8Stored,
        Precision.Fp8 => WeightFormat.Float8,
        var other => throw Unfit($"{other} blocks are not prepared"),
    };

    private TokenKernels Kernels => kernels ??= new TokenKernels(new KernelCompiler(KernelFolder));

    /// <summary>The user's own: what lies there is loaded into the card. Without a home, kernels are compiled anew each time.</summary>
    private static string? KernelFolder => Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home
        ? Path.Combine(home, ".cache", "renderfarm", "kernels")
        : null;

    private PlacedBlocks<TBlock> Place<TBlock>(
        ModelPart part, Inference.Safetensors.ITensorSource source, WeightFormat format, Func<IWeights, TBlock> build, BlockRing ring, FusedTokenOps? ops)
    {
        var layout = BlockLayout.Of(build, format);
        // the two formats of eight bits are the same bytes
        string stored = format == WeightFormat.BFloat16 ? "bf16" : "fp8";
        var prepared = store.Get($"{parts.Fingerprint(part)}-{stored}", layout, ring.Blocks, (block, destination) =>
        {
            BlockPreparer.Prepare(layout, source, $"blocks.{block}.", destination, Device);
            breathe();
        });
        TrimMemory(); // rounding on the card left some behind
        return new PlacedBlocks<TBlock>(layout, prepared, ring, build, Device, ops);
    }

    private static bool IsOfBlock(string name) => name.StartsWith("blocks.", StringComparison.Ordinal);

    private static RenderException Unfit(string why) => new(FailureReason.InvalidRequest, why);
}

/// <summary>The DiT and where its blocks lie.</summary>
public sealed record LoadedTransformer(Loaded<WanModel> Loaded, PlacedBlocks<WanBlock>? Blocks) : IDisposable
{
    public WanModel Module => Loaded.Module;

    public void Dispose()
    {
        Loaded.Dispose();
        Blocks?.Dispose();
    }
}
