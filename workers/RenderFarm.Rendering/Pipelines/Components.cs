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
using RenderFarm.Inference.TokenAttention;
using RenderFarm.Rendering.Conditioning;
using RenderFarm.Rendering.Loading;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.ImageEncoder;
using RenderFarm.Wan.Loras;
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
/// <param name="alive">Called from inside long loops; may throw to end them.</param>
/// <param name="held">What this process has mapped already; null: nothing stays mapped between two uses.</param>
public sealed class Components(RenderOrder order, IModelParts parts, Action alive, HeldBlocks? held = null) : IDisposable
{
    private readonly RenderPlan _plan = order.Plan;
    private readonly ModelShape _shape = order.Shape;
    private readonly PreparedStore _store = new(order.WeightCache, order.WeightCacheLimitBytes, held: held);
    private TokenKernels? _kernels;

    public Device Device { get; } = new(order.Plan.Device);

    /// <summary>To be called from inside whatever else takes long.</summary>
    public Action Alive => alive;

    private bool OnCard => Device.type == DeviceType.CUDA;

    /// <summary>Before anything takes time: the plan can be carried out here, and every file is there.</summary>
    /// <exception cref="RenderException">Says what is not so.</exception>
    public void Require()
    {
        parts.Require();
        var layers = _shape.Transformer.Layers;
        if (_plan.BlocksResident + _plan.BlocksStreamed != layers || _plan.BlocksStreamed > 0 && _plan.RingSlots < 1)
        {
            throw Unfit(
                $"{_plan.BlocksResident} resident and {_plan.BlocksStreamed} streamed blocks with {_plan.RingSlots} slots are no plan for "
                    + $"the {layers} blocks of {_shape.Id}"
            );
        }

        if (_plan.Precision == Precision.Fp32 && _plan.BlocksStreamed > 0)
        {
            throw Unfit("float32 blocks are not streamed; plan bf16 or eight bits");
        }

        if (
            _plan.Attention == AttentionPrecision.EightBit
            && (OnCard ? FusedEightBitAttention.WhyNot(_shape.Transformer.HeadDim) : "a CPU attends in full") is { } reason
        )
        {
            throw Unfit($"no eight-bit attention: {reason}; plan attention full");
        }

        if (_plan.Precision == Precision.Fp8 && !(OnCard && CudaDevice.ComputeCapability is { Major: > 8 } or { Major: 8, Minor: 9 }))
        {
            throw Unfit($"{(OnCard ? "this card" : "a CPU")} has no fp8 products; plan int8-weights, fp8-weights or bf16");
        }

        if (_plan.Precision == Precision.Int8 && !(OnCard && CudaDevice.ComputeCapability is { Major: > 7 } or { Major: 7, Minor: >= 5 }))
        {
            throw Unfit($"{(OnCard ? "this card" : "a CPU")} has no int8 products; plan int8-weights or bf16");
        }
    }

    /// <summary>
    /// Prompts that were encoded before, by these weights, in this type, on this kind of device and to this length. None where the
    /// encoder itself is wanted near.
    /// </summary>
    public PromptCache Prompts =>
        new(
            order.Ahead ? null : order.WeightCache,
            $"{parts.Fingerprint(ModelPart.TextEncoder)} {(_plan.TextEncoder == TextEncoderPlacement.Cpu ? "cpu" : _plan.Device)} "
                + $"{(_plan.Precision == Precision.Fp32 ? "fp32" : "bf16")} {_shape.Transformer.TextLength}"
        );

    /// <summary>On the host, or its layers on the card; the embedding table stays in its file.</summary>
    public PromptEncoder PromptEncoder()
    {
        var tokenizer = parts.Tokenizer();
        var source = parts.Open(ModelPart.TextEncoder); // Stays open: rows of the table are read from the file
        PlacedBlocks<Umt5Layer>? layers = null;
        try
        {
            var dense = new CastUpSource(source);
            var encoder = _shape.TextEncoder;
            if (!OnCard || _plan.TextEncoder == TextEncoderPlacement.Cpu || _plan.Precision == Precision.Fp32)
            {
                // Beside a card the host's memory is planned for sixteen bits
                var type = _plan.Precision == Precision.Fp32 ? ScalarType.Float32 : ScalarType.BFloat16;
                var place = _plan.TextEncoder == TextEncoderPlacement.Cpu ? CPU : Device;
                return new PromptEncoder(
                    tokenizer,
                    source,
                    Umt5Encoder.Load(dense, encoder, place, type),
                    layers,
                    _shape.Transformer.TextLength
                );
            }
            var resident = _plan.TextEncoder == TextEncoderPlacement.Resident ? encoder.Layers : 0;
            layers = Place(
                ModelPart.TextEncoder,
                source,
                WeightFormat.BFloat16,
                weights => new Umt5Layer(weights, encoder),
                new BlockRing(encoder.Layers, resident, slots: 2),
                ops: null
            );
            var loaded = LoadedWeights.Build(
                dense,
                Device,
                ScalarType.BFloat16,
                weights => new Umt5Encoder(weights, encoder, new StoredTokenRows(dense, encoder), layers.Source),
                ignorable: name => name == Umt5Encoder.TableName || IsOfBlock(name)
            );
            return new PromptEncoder(tokenizer, source, loaded, layers, _shape.Transformer.TextLength);
        }
        catch
        {
            layers?.Dispose();
            source.Dispose();
            throw;
        }
    }

    /// <summary>
    /// In float32 from the checkpoint as it is; in every other precision from prepared blocks. LoRAs are merged before
    /// anything is rounded; where blocks are streamed they run beside the products instead, so that the prepared blocks stay
    /// those of every job.
    /// </summary>
    /// <param name="part">Which expert of two.</param>
    public LoadedTransformer Transformer(ModelPart part)
    {
        using var source = parts.Open(part);
        using var loras = Loras(part);
        var sizes = _shape.Transformer;
        if (_plan.Precision == Precision.Fp32)
        {
            var merged = new CastUpSource(Merged(source, loras.Changes));
            return new LoadedTransformer(
                LoadedWeights.Build(merged, Device, ScalarType.Float32, weights => new WanModel(weights, sizes)),
                null,
                null
            )
            {
                Notes = loras.Notes,
            };
        }

        var ops = OnCard ? new FusedTokenOps(Kernels) : null;
        var (inBlocks, outside) = (Of(loras, ofBlocks: true), Of(loras, ofBlocks: false));
        var whyMerged = LoraBranches.WhyNot(inBlocks);
        var beside = _plan.BlocksStreamed > 0 && whyMerged is null;
        var branches = inBlocks.Count > 0 && beside ? LoraBranches.Load(inBlocks, Device, ScalarType.BFloat16) : null;
        var attention = EightBitAttention(ops);
        PlacedBlocks<WanBlock>? blocks = null;
        try
        {
            var (weightsOfBlocks, kept) =
                inBlocks.Count == 0 || beside ? (source, _store) : (Merged(source, inBlocks), new PreparedStore(cache: null));
            blocks = Place(
                part,
                weightsOfBlocks,
                FormatFor(source),
                weights => new WanBlock(branches is null ? weights : new SideBranchWeights(weights, branches), sizes),
                new BlockRing(sizes.Layers, _plan.BlocksResident, _plan.RingSlots),
                ops,
                kept
            );
            var order = branches is null ? blocks.Source : new BranchedBlocks<WanBlock>(blocks.Source, branches);
            var dense = new CastUpSource(Merged(source, outside));
            return new LoadedTransformer(
                LoadedWeights.Build(
                    dense,
                    Device,
                    ScalarType.BFloat16,
                    weights => new WanModel(weights, sizes, order, ops, attention),
                    ignorable: IsOfBlock
                ),
                blocks,
                branches
            )
            {
                Notes =
                    _plan.BlocksStreamed > 0 && whyMerged is not null
                        ?
                        [
                            .. loras.Notes,
                            $"the blocks were prepared anew for this video's LoRAs, which can't run beside streamed weights: {whyMerged}",
                        ]
                        : loras.Notes,
                Attention = attention,
            };
        }
        catch
        {
            blocks?.Dispose();
            branches?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Prepares and page-locks the blocks of a DiT whose turn comes later, beside the work of another one. What goes wrong with it goes
    /// wrong again, in words, when it is loaded.
    /// </summary>
    public Task BringNear(ModelPart part, CancellationToken cancellationToken) =>
        held is null || order.WeightCache is null || _plan.Precision == Precision.Fp32 || order.Spec.Loras.Count > 0
            ? Task.CompletedTask
            : Task.Run(
                () =>
                {
                    using var noGradients = no_grad();
                    using var source = parts.Open(part);
                    var sizes = _shape.Transformer;
                    using var near = Prepared(
                        part,
                        source,
                        BlockLayout.Of(weights => new WanBlock(weights, sizes), FormatFor(source), InFullPrecision(source)),
                        sizes.Layers,
                        _store,
                        cancellationToken.ThrowIfCancellationRequested,
                        hold: true
                    );
                    if (OnCard)
                    {
                        near.Register();
                    }
                },
                cancellationToken
            );

    /// <summary>Null where the plan attends in full. Each DiT proves it for itself.</summary>
    private CheckedAttention? EightBitAttention(FusedTokenOps? ops) =>
        _plan.Attention == AttentionPrecision.EightBit && ops is not null
            ? new CheckedAttention(new FusedEightBitAttention(Kernels.Attention), new FullAttention(ops))
            : null;

    private LoraSet Loras(ModelPart part)
    {
        try
        {
            return LoraSet.Resolve(parts.Loras(part, order.Spec.Loras), _shape.Transformer);
        }
        catch (Inference.Safetensors.CheckpointException e)
        {
            throw new RenderException(FailureReason.InvalidRequest, e.Message, e); // Another worker has no better file of this name
        }
    }

    private static Dictionary<string, IReadOnlyList<TensorChange>> Of(LoraSet loras, bool ofBlocks) =>
        loras.Changes.Where(change => LoraBranches.IsOfBlock(change.Key) == ofBlocks).ToDictionary(StringComparer.Ordinal);

    private Inference.Safetensors.ITensorSource Merged(
        Inference.Safetensors.ITensorSource source,
        IReadOnlyDictionary<string, IReadOnlyList<TensorChange>> changes
    ) => changes.Count == 0 ? source : new MergedSource(source, changes, Device);

    /// <summary>In sixteen bits of the kind it was published in on a card, where it is the smallest part.</summary>
    public Loaded<ClipVision> ImageEncoder()
    {
        using var source = parts.Open(ModelPart.ImageEncoder);
        var type = OnCard && _plan.Precision != Precision.Fp32 ? ScalarType.Float16 : ScalarType.Float32;
        return ClipVision.Load(new CastUpSource(source), _shape.ImageEncoder!, Device, type);
    }

    /// <summary>Whether a VAE can be had that holds larger values than it does by default.</summary>
    public bool HasWiderVae => OnCard && _plan.Precision != Precision.Fp32;

    /// <summary>
    /// Float32 as published on a CPU and where the plan says so. On a card fp16, whose pixels are six times nearer to those of float32
    /// than bf16's; features beyond 65,504 become infinite in it, and then bf16 has to do.
    /// </summary>
    /// <param name="wide">bf16 in place of fp16.</param>
    public Loaded<WanVae> Vae(bool wide = false)
    {
        using var source = parts.Open(ModelPart.Vae);
        return HasWiderVae
            ? LoadedWeights.Build(
                new CastUpSource(source),
                Device,
                wide ? ScalarType.BFloat16 : ScalarType.Float16,
                weights => new WanVae(weights, _shape.Vae) { Kernels = Kernels.Frames },
                arrange: WanVae.ChannelsInnermost
            )
            : LoadedWeights.Build(new CastUpSource(source), Device, ScalarType.Float32, weights => new WanVae(weights, _shape.Vae));
    }

    /// <summary>Gives memory that nothing uses back to the card.</summary>
    public void TrimMemory()
    {
        if (OnCard && DeviceAllocator.IsPool)
        {
            MemoryPool.OfDevice().Trim();
        }
    }

    public void Dispose() => _kernels?.Dispose();

    /// <summary>
    /// As planned, but weights that are only stored in eight bits stay in those of the file: rounded once more they would lose once more.
    /// </summary>
    private WeightFormat FormatFor(Inference.Safetensors.ITensorSource source) =>
        _plan.Precision switch
        {
            Precision.Bf16 => WeightFormat.BFloat16,
            Precision.Fp8Weights => StoredEightBits(source) == Int8.Type ? WeightFormat.Int8Stored : WeightFormat.Float8Stored,
            Precision.Int8Weights => StoredEightBits(source) == Float8.Type ? WeightFormat.Float8Stored : WeightFormat.Int8Stored,
            Precision.Fp8 => WeightFormat.Float8,
            Precision.Int8 => WeightFormat.Int8,
            var other => throw Unfit($"{other} blocks are not prepared"),
        };

    /// <summary>What most weights of its blocks are stored in, if that is eight bits with a scale or e4m3; null otherwise.</summary>
    private static ScalarType? StoredEightBits(Inference.Safetensors.ITensorSource source)
    {
        var types = source
            .Entries.Values.Where(entry => IsOfBlock(entry.Name) && entry.Name.EndsWith(".weight", StringComparison.Ordinal))
            .Where(entry => entry.Shape.Count == 2)
            .Select(entry => entry.Type.ScalarType)
            .ToList();
        var most = types.GroupBy(type => type).MaxBy(group => group.Count())?.Key;
        return most is Float8.Type or Int8.Type ? most : null;
    }

    private TokenKernels Kernels => _kernels ??= new TokenKernels(new KernelCompiler(KernelFolder));

    /// <summary>The user's own: what lies there is loaded into the card. Without a home, kernels are compiled anew each time.</summary>
    private static string? KernelFolder =>
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home
            ? Path.Combine(home, ".cache", "renderfarm", "kernels")
            : null;

    private PlacedBlocks<TBlock> Place<TBlock>(
        ModelPart part,
        Inference.Safetensors.ITensorSource source,
        WeightFormat format,
        Func<IWeights, TBlock> build,
        BlockRing ring,
        FusedTokenOps? ops,
        PreparedStore? kept = null
    )
    {
        var layout = BlockLayout.Of(build, format, InFullPrecision(source));
        var prepared = Prepared(part, source, layout, ring.Blocks, kept ?? _store, alive, hold: order.Ahead);
        TrimMemory(); // Merging LoRAs on the card left some behind
        var inTurn = order.Spec.Debug is { SynchronousCopies: true };
        return new PlacedBlocks<TBlock>(layout, prepared, ring, build, Device, ops, inTurn);
    }

    private PreparedBlocks Prepared(
        ModelPart part,
        Inference.Safetensors.ITensorSource source,
        BlockLayout layout,
        int blocks,
        PreparedStore store,
        Action waiting,
        bool hold
    )
    {
        // Stored and multiplied in the same eight bits, blocks are the same bytes
        var stored = EightBits.TypeOf(layout.Format) switch
        {
            Float8.Type => "fp8",
            Int8.Type => "int8",
            _ => "bf16",
        };
        var blocksAtATime = BlockFiller.WorkersFor(source.LoadsInParallel);
        var threadsOfEach = blocksAtATime > 1 ? 1 : get_num_threads();
        return store.Get(
            $"{parts.Fingerprint(part)}-{stored}",
            layout,
            blocks,
            new BlockFiller(
                (block, destination) => BlockPreparer.Prepare(layout, source, $"blocks.{block}.", destination, threadsOfEach),
                blocksAtATime,
                waiting
            ),
            waiting,
            hold
        );
    }

    /// <summary>
    /// By their names within a block: one block object is every block that passes through its slot, so what one of them wants all get.
    /// </summary>
    private static HashSet<string> InFullPrecision(Inference.Safetensors.ITensorSource source) =>
        [.. source.InFullPrecision.Where(IsOfBlock).Select(name => name.Split('.', 3)[2])];

    private static bool IsOfBlock(string name) => name.StartsWith("blocks.", StringComparison.Ordinal);

    private static RenderException Unfit(string why) => new(FailureReason.InvalidRequest, why);
}

/// <summary>The DiT, where its blocks lie and what runs beside them.</summary>
public sealed record LoadedTransformer(Loaded<WanModel> Loaded, PlacedBlocks<WanBlock>? Blocks, SideBranches? Branches) : IDisposable
{
    private readonly IReadOnlyList<string> _notes = [];

    /// <summary>What the user should know of the LoRAs and, once blocks have run, of their attention.</summary>
    public IReadOnlyList<string> Notes
    {
        get => [.. _notes, .. Attention?.Notes ?? []];
        init => _notes = value;
    }

    /// <summary>Null where the plan attends in full.</summary>
    public CheckedAttention? Attention { get; init; }

    public WanModel Module => Loaded.Module;

    public void Dispose()
    {
        Loaded.Dispose();
        Blocks?.Dispose();
        Branches?.Dispose();
    }
}
