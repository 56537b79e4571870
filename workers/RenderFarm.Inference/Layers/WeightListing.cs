using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>
/// Weights without memory that write down what a module asks for: the module's own list of tensors, for making
/// checkpoints, laying out ring slots and approving names and shapes.
/// </summary>
public sealed class WeightListing : IWeights, IDisposable
{
    private readonly List<TensorEntry> _entries;
    private readonly List<Tensor> _placeholders;
    private readonly string _prefix;
    private readonly ScalarType _type;

    public WeightListing(ScalarType type)
        : this("", type, [], []) { }

    private WeightListing(string prefix, ScalarType type, List<TensorEntry> entries, List<Tensor> placeholders) =>
        (_prefix, _type, _entries, _placeholders) = (prefix, type, entries, placeholders);

    /// <summary>What <paramref name="build"/> asks for, in the order it asks.</summary>
    public static IReadOnlyList<TensorEntry> Of<T>(Func<IWeights, T> build, ScalarType type = ScalarType.BFloat16)
    {
        using var listing = new WeightListing(type);
        build(listing);
        return listing.Entries;
    }

    public ScalarType Type => _type;

    public IReadOnlyList<TensorEntry> Entries => _entries;

    public IWeights Scope(string name) => new WeightListing($"{_prefix}{name}.", _type, _entries, _placeholders);

    public IWeights As(ScalarType type) => new WeightListing(_prefix, type, _entries, _placeholders);

    public Tensor Tensor(string name, params ReadOnlySpan<long> shape)
    {
        _entries.Add(new TensorEntry(_prefix + name, ElementType.Of(_type), shape.ToArray()));
        var placeholder = empty(shape.ToArray(), dtype: _type, device: META).DetachFromDisposeScope();
        _placeholders.Add(placeholder);
        return placeholder;
    }

    public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true) =>
        new DenseLinear(Tensor(name + ".weight", outFeatures, inFeatures), bias ? Tensor(name + ".bias", outFeatures) : null);

    public void Dispose()
    {
        foreach (var placeholder in _placeholders)
        {
            placeholder.Dispose();
        }
    }
}
