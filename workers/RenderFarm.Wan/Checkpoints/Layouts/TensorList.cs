namespace RenderFarm.Wan.Checkpoints.Layouts;

/// <summary>A tensor that a checkpoint holds: its key and its sizes.</summary>
public sealed record ExpectedTensor(string Name, IReadOnlyList<long> Shape)
{
    public long Elements => Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>Elements that one output is summed from: all sizes but the first.</summary>
    public long FanIn => Shape.Skip(1).Aggregate(1L, (product, size) => product * size);
}

/// <summary>Collects the tensors of a layout in the words of the layers that own them.</summary>
internal sealed class TensorList
{
    private readonly List<ExpectedTensor> tensors = [];

    public IReadOnlyList<ExpectedTensor> Tensors => tensors;

    public TensorList Add(string name, params long[] shape)
    {
        tensors.Add(new ExpectedTensor(name, shape));
        return this;
    }

    public TensorList Linear(string name, long outFeatures, long inFeatures, bool bias = true)
    {
        Add(name + ".weight", outFeatures, inFeatures);
        return bias ? Add(name + ".bias", outFeatures) : this;
    }

    /// <summary>Layer norm with weight and bias.</summary>
    public TensorList Norm(string name, long size) => Add(name + ".weight", size).Add(name + ".bias", size);

    public TensorList Conv(string name, long outChannels, long inChannels, params ReadOnlySpan<long> kernel) =>
        Add(name + ".weight", [outChannels, inChannels, .. kernel]).Add(name + ".bias", outChannels);
}
