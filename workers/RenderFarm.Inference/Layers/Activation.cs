using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>In what form a product takes its input rows.</summary>
public enum RowFormat
{
    /// <summary>In the compute type.</summary>
    Dense,

    /// <summary>e4m3 with a float32 scale a row.</summary>
    Float8,

    /// <summary>int8 with a float32 scale a row.</summary>
    Int8,
}

/// <summary>Rows ready for a product.</summary>
/// <param name="Values">[B, L, dim] in the compute type, e4m3 or int8.</param>
/// <param name="Scales">Float32 [B, L, 1] beside values of eight bits.</param>
public readonly record struct Activation(Tensor Values, Tensor? Scales = null) : IDisposable
{
    public RowFormat Format => Scales is null ? RowFormat.Dense : Values.dtype == ScalarType.Int8 ? RowFormat.Int8 : RowFormat.Float8;

    /// <summary>The same memory, <paramref name="count"/> tokens from <paramref name="start"/>.</summary>
    public Activation Tokens(long start, long count) => new(Values.narrow(1, start, count), Scales?.narrow(1, start, count));

    public Activation MoveToOuterDisposeScope()
    {
        Values.MoveToOuterDisposeScope();
        Scales?.MoveToOuterDisposeScope();
        return this;
    }

    public void Dispose()
    {
        Values.Dispose();
        Scales?.Dispose();
    }
}
