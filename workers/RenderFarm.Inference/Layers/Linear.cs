using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>A product with a weight matrix, however that is stored.</summary>
public abstract class Linear
{
    /// <summary>The form in which rows are best handed over; others are converted.</summary>
    public virtual RowFormat Input => RowFormat.Dense;

    /// <summary>[…, in] → […, out]. Takes any floating type; the result is in the compute type of the weights.</summary>
    public abstract Tensor Apply(Tensor x);

    /// <summary>The same for rows made by <see cref="ITokenOps"/> in the form of <see cref="Input"/>.</summary>
    public virtual Tensor Apply(Activation x) => x.Scales is null
        ? Apply(x.Values)
        : throw new ArgumentException("e4m3 rows for a product that takes dense ones", nameof(x));
}

/// <summary>Weight [out, in] and bias [out] in the type that they multiply in.</summary>
public sealed class DenseLinear(Tensor weight, Tensor? bias) : Linear
{
    public override Tensor Apply(Tensor x)
    {
        if (x.dtype == weight.dtype) return nn.functional.linear(x, weight, bias);
        using var cast = x.to(weight.dtype);
        return nn.functional.linear(cast, weight, bias);
    }
}

/// <summary>
/// The same for long rows on a card: the bias is added in place afterwards. With the bias inside the product cuBLAS falls
/// from 770 to 600 TFLOP/s on these shapes (<c>bench gpu --part profile</c>); over a whole forward, which the card's power
/// limit holds, the two measured alike.
/// </summary>
public sealed class ThenBiasLinear(Tensor weight, Tensor bias) : Linear
{
    public override Tensor Apply(Tensor x)
    {
        using var cast = x.dtype == weight.dtype ? x.alias() : x.to(weight.dtype);
        return nn.functional.linear(cast, weight).add_(bias);
    }
}

/// <summary>Several products of the same rows, results side by side. Where the weights lie side by side too, one product does it.</summary>
public sealed class JoinedLinear(IReadOnlyList<Linear> parts) : Linear
{
    public override RowFormat Input => parts[0].Input;

    public override Tensor Apply(Tensor x) => Join(part => part.Apply(x));

    public override Tensor Apply(Activation x) => Join(part => part.Apply(x));

    private Tensor Join(Func<Linear, Tensor> apply)
    {
        using var scope = NewDisposeScope();
        var results = parts.Select(apply).ToList();
        return cat(results, results[0].dim() - 1).MoveToOuterDisposeScope();
    }
}
