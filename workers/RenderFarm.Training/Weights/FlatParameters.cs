using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Training.Weights;

/// <summary>
/// All parameters of a training stage in one tensor. Modules get views of it, its gradient comes back in one piece, and
/// the optimiser is a handful of operations instead of a dozen for each of several hundred tensors.
/// </summary>
internal sealed class FlatParameters : IDisposable
{
    private readonly long[] _sizes;

    /// <param name="entries">What the modules ask for; see <see cref="WeightListing"/>.</param>
    public FlatParameters(IReadOnlyList<TensorEntry> entries, Device device)
    {
        // A module may ask for one tensor in two types
        Entries = [.. entries.DistinctBy(entry => entry.Name)];
        _sizes = [.. Entries.Select(entry => entry.Elements)];
        Values = zeros([_sizes.Sum()], dtype: ScalarType.Float32, device: device).DetachFromDisposeScope();
    }

    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>Float32 [all elements].</summary>
    public Tensor Values { get; }

    /// <summary>Values of each tensor at the start.</summary>
    public void Initialize(Func<TensorEntry, Tensor> draw)
    {
        using var noGradients = no_grad();
        long at = 0;
        foreach (var (entry, size) in Entries.Zip(_sizes))
        {
            using var scope = NewDisposeScope();
            Values.narrow(0, at, size).copy_(draw(entry).flatten());
            at += size;
        }
    }

    /// <summary>The parameters as modules take them; views that live in the caller's dispose scope.</summary>
    /// <param name="type">What products are computed in; tensors asked for in float32 stay as exact as they are kept.</param>
    public IWeights Open(ScalarType type) => Open(Values, type);

    /// <summary>The same layout over other values: an average of them.</summary>
    public IWeights Open(Tensor values, ScalarType type)
    {
        var exact = Views(values);
        return new TrainableWeights(type, exact, type == ScalarType.Float32 ? exact : Views(values.to(type)));
    }

    public void Dispose() => Values.Dispose();

    private Dictionary<string, Tensor> Views(Tensor values)
    {
        // One split: its gradient is one concatenation
        var parts = values.split(_sizes);
        return Entries
            .Zip(parts)
            .ToDictionary(pair => pair.First.Name, pair => pair.Second.view([.. pair.First.Shape]), StringComparer.Ordinal);
    }
}
