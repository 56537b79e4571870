using static TorchSharp.torch;

namespace RenderFarm.Wan.Loras;

/// <summary>One thing that a LoRA does to one tensor of the model. Several are done in the order of the LoRAs.</summary>
public abstract record TensorChange
{
    /// <param name="weight">Float32; neither changed nor disposed.</param>
    /// <returns>What it becomes, in the same shape and place; in the current dispose scope.</returns>
    public abstract Tensor ApplyTo(Tensor weight);

    /// <summary>What stands in the way of doing it beside the product of an unchanged weight; null where nothing does.</summary>
    public virtual string? WhyNotBeside => null;
}

/// <summary>W + scale · D.</summary>
/// <param name="Scale">Strength and the file's own factor.</param>
public sealed record DeltaChange(WeightDelta Delta, WeightSizes Sizes, double Scale) : TensorChange
{
    public override Tensor ApplyTo(Tensor weight)
    {
        using var scope = NewDisposeScope();
        return weight.add(Delta.Of(Sizes, weight.device).reshape(weight.shape), Scale).MoveToOuterDisposeScope();
    }

    public override string? WhyNotBeside =>
        Delta switch
        {
            PairDelta { Core: null } => null,
            PairDelta => "a pair with a core",
            HadamardDelta => "LoHa",
            _ => "LoKr",
        };
}

/// <summary>
/// DoRA: W + D, each row or column of it brought to a length that was trained. How far it goes there is the strength.
/// </summary>
/// <param name="Factor">Of D, without the strength.</param>
/// <param name="Magnitudes">[out, 1…] of rows, or [1, in, 1…] of columns.</param>
public sealed record DecomposedChange(WeightDelta Delta, WeightSizes Sizes, double Factor, double Strength, AdapterTensor Magnitudes)
    : TensorChange
{
    private const double Epsilon = 1.1920928955078125e-07; // 2⁻²³

    public override string WhyNotBeside => "DoRA";

    internal static bool Fits(AdapterTensor magnitudes, WeightSizes sizes) =>
        OfRows(magnitudes, sizes) || (magnitudes.Rows == 1 && magnitudes.Elements == sizes.In && magnitudes.Size(1) == sizes.In);

    public override Tensor ApplyTo(Tensor weight)
    {
        using var scope = NewDisposeScope();
        var flat = weight.reshape(Sizes.Out, Sizes.In, Sizes.Kernel);
        var moved = flat.add(Delta.Of(Sizes, weight.device).reshape(flat.shape), Factor);
        var rows = OfRows(Magnitudes, Sizes);
        // As published: of rows the length before the change counts, of columns the length after it
        var length = rows
            ? flat.square().sum([1, 2], keepdim: true).sqrt()
            : moved.square().sum([0, 2], keepdim: true).sqrt();
        var wanted = Magnitudes.Exact(weight.device).reshape(length.shape);
        var target = moved * (wanted / (length + Epsilon));
        return flat.add(target - flat, Strength).reshape(weight.shape).MoveToOuterDisposeScope();
    }

    private static bool OfRows(AdapterTensor magnitudes, WeightSizes sizes) =>
        magnitudes.Rows == sizes.Out && magnitudes.Elements == sizes.Out;
}

/// <summary>A tensor that is added <paramref name="Scale"/> times.</summary>
public sealed record DirectChange(AdapterTensor Values, double Scale) : TensorChange
{
    public override Tensor ApplyTo(Tensor weight)
    {
        using var scope = NewDisposeScope();
        return weight.add(Values.Exact(weight.device).reshape(weight.shape), Scale).MoveToOuterDisposeScope();
    }
}

/// <summary>Another tensor in the place of this one, whatever the strength.</summary>
public sealed record Replacement(AdapterTensor Values) : TensorChange
{
    public override string WhyNotBeside => "a weight that is replaced";

    public override Tensor ApplyTo(Tensor weight) => Values.Exact(weight.device).reshape(weight.shape);
}
