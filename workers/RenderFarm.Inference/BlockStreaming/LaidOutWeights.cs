using RenderFarm.Cuda.Aten;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>
/// Weights as views of one run of device memory, by a <see cref="BlockLayout"/>. What is in the memory when work runs is
/// what the work sees: the run may be refilled between two uses. Owns its views, not the memory.
/// </summary>
public sealed class LaidOutWeights : IWeights, IDisposable
{
    private readonly BlockLayout _layout;
    private readonly Tensor _memory;
    private readonly FusedTokenOps? _ops;
    private readonly List<Tensor> _views = [];
    private readonly string _prefix = "";

    /// <param name="memory">Bytes [≥ layout.Bytes] on the device.</param>
    /// <param name="ops">Kernels of the card; null in host memory, where e4m3 is always cast up.</param>
    public LaidOutWeights(BlockLayout layout, Tensor memory, FusedTokenOps? ops) => (_layout, _memory, _ops) = (layout, memory, ops);

    private LaidOutWeights(LaidOutWeights root, string prefix, ScalarType type)
        : this(root._layout, root._memory, root._ops) => (_views, _prefix, Type) = (root._views, prefix, type);

    public ScalarType Type { get; } = ScalarType.BFloat16;

    public IWeights Scope(string name) => new LaidOutWeights(this, $"{_prefix}{name}.", Type);

    public IWeights As(ScalarType type) => new LaidOutWeights(this, _prefix, type);

    public Tensor Tensor(string name, params ReadOnlySpan<long> shape) => View(_layout.Find(_prefix + name, StoredPart.Value), shape);

    public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true) => Product([name], inFeatures, outFeatures, bias);

    public Linear Joined(IReadOnlyList<string> names, int inFeatures, int outFeatures) =>
        Product(names, inFeatures, names.Count * outFeatures, bias: true);

    public void Dispose()
    {
        foreach (var view in _views)
        {
            view.Dispose();
        }

        _views.Clear();
    }

    /// <summary>Joined products lie side by side, so the first one's place is that of all of them.</summary>
    private Linear Product(IReadOnlyList<string> names, int inFeatures, int outFeatures, bool bias)
    {
        string[] weights = [.. names.Select(name => $"{_prefix}{name}.weight")];
        var offsets = bias ? View(_layout.Find($"{_prefix}{names[0]}.bias", StoredPart.Value), [outFeatures]) : null;
        if (BlockLayout.StoredIn(_layout.Format, Type) is null)
        {
            return Over(View(_layout.Find(weights[0], StoredPart.Value), [outFeatures, inFeatures]));
        }

        var values = View(_layout.Find(weights[0], StoredPart.EightBitWeight), [outFeatures, inFeatures]);
        var scales = View(_layout.Find(weights[0], StoredPart.EightBitScales), [outFeatures, 1]);
        return (_layout.Format, _ops) switch
        {
            _ when weights.Any(_layout.CastUp.Contains) => CastUp(),
            (WeightFormat.Float8, { } ops) => new Float8Linear(values, scales, offsets, ops),
            (WeightFormat.Int8, null) => new Int8Linear(values, scales, offsets, new PlainInt8Products()),
            (WeightFormat.Int8, { } ops) => new Int8Linear(values, scales, offsets, new FusedInt8Products(ops)),
            _ => CastUp(),
        };

        CastUpLinear CastUp() =>
            new(values, scales, _ops is null ? (w, s) => EightBits.Dequantize(w, s, ScalarType.BFloat16) : _ops.CastUp, Over);

        Linear Over(Tensor dense) =>
            _ops is null || Type != ScalarType.BFloat16 ? new DenseLinear(dense, offsets) : new FusedLinear(dense, offsets, _ops.Products);
    }

    private Tensor View(StoredTensor stored, ReadOnlySpan<long> shape)
    {
        var view = AtenOps
            .FromMemory(AtenOps.DataPointer(_memory) + (nint)stored.Offset, shape, stored.Type, _memory.device)
            .DetachFromDisposeScope();
        _views.Add(view);
        return view;
    }
}
