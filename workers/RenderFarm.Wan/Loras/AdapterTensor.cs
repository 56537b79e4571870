using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Loras;

/// <summary>A tensor of an adapter file, not loaded yet.</summary>
public sealed record AdapterTensor(ITensorSource Source, TensorEntry Entry)
{
    public IReadOnlyList<long> Shape => Entry.Shape;

    public long Elements => Entry.Elements;

    /// <summary>Its first size; 0 for a number.</summary>
    public long Rows => Size(0);

    public string Key => Entry.Name;

    public long Size(int dimension) => dimension < Shape.Count ? Shape[dimension] : 0;

    /// <summary>Float32 on the device, in the current dispose scope.</summary>
    public Tensor Exact(Device device)
    {
        using var stored = Source.Load(Key);
        return stored.to(ScalarType.Float32, device, copy: true);
    }

    public override string ToString() => $"{Key} [{string.Join(", ", Shape)}]";
}
