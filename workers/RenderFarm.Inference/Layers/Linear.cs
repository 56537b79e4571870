using RenderFarm.Cuda.Blas;
using RenderFarm.Inference.Arithmetic;
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
    public virtual Tensor Apply(Activation x) =>
        x.Scales is null ? Apply(x.Values) : throw new ArgumentException("eight-bit rows for a product that takes dense ones", nameof(x));

    /// <summary>tanh-GELU of the product, ready for the next.</summary>
    public virtual Activation ApplyGelu(Activation x, ITokenOps ops, RowFormat format) => ops.Gelu(Apply(x), format);
}

/// <summary>Weight [out, in] and bias [out] in the type that they multiply in.</summary>
public sealed class DenseLinear(Tensor weight, Tensor? bias) : Linear
{
    public override Tensor Apply(Tensor x)
    {
        if (x.dtype == weight.dtype)
        {
            return Product.Linear(x, weight, bias);
        }

        using var cast = x.to(weight.dtype);
        return Product.Linear(cast, weight, bias);
    }
}

/// <summary>The same in bf16 on a card: bias, and GELU where it follows, are part of the product.</summary>
public sealed class FusedLinear(Tensor weight, Tensor? bias, RowProducts products) : Linear
{
    public override Tensor Apply(Tensor x) => Apply(x, bias is null ? Epilogue.None : Epilogue.Bias);

    public override Activation ApplyGelu(Activation x, ITokenOps ops, RowFormat format) =>
        format == RowFormat.Dense && bias is not null && x.Scales is null
            ? new Activation(Apply(x.Values, Epilogue.BiasGelu))
            : base.ApplyGelu(x, ops, format);

    private Tensor Apply(Tensor x, Epilogue epilogue)
    {
        using var scope = NewDisposeScope();
        var rows = (x.dtype == ScalarType.BFloat16 ? x : x.to(ScalarType.BFloat16)).reshape(-1, weight.shape[1]);
        return products.Apply(rows, weight, bias, epilogue).view([.. x.shape[..^1], weight.shape[0]]).MoveToOuterDisposeScope();
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
