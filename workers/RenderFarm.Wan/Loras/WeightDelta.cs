using RenderFarm.Inference.Arithmetic;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Loras;

/// <summary>D: what is added to a weight, by whatever factors it is stored in.</summary>
public abstract record WeightDelta
{
    /// <summary>What a file's alpha is divided by; null where alpha doesn't count.</summary>
    public abstract long? Rank { get; }

    /// <summary>A header's alpha is meant for pairs.</summary>
    public virtual bool TakesAlphaOfHeader => false;

    /// <summary>Its stored parts, for messages.</summary>
    public abstract IReadOnlyList<AdapterTensor> Parts { get; }

    /// <summary>Whether its parts make a weight of these sizes.</summary>
    public abstract bool Fits(WeightSizes sizes);

    /// <summary>Float32 with the weight's numbers in their order, on the device, in the current dispose scope.</summary>
    public abstract Tensor Of(WeightSizes sizes, Device device);

    /// <summary>Σ core[p, q, k] · a[p, o] · b[q, i] as [o, i, k].</summary>
    private protected static Tensor ThroughCore(Tensor core, Tensor a, Tensor b)
    {
        var (p, q, kernel) = (core.shape[0], core.shape[1], core.shape[2]);
        var left = Product.OfMatrices(a.t(), core.reshape(p, q * kernel)).reshape(-1, q, kernel); // [o, q, k]
        var right = Product.OfMatrices(left.transpose(1, 2).reshape(-1, q), b); // [o·k, i]
        return right.reshape(a.shape[1], kernel, b.shape[1]).transpose(1, 2);
    }

    private protected static bool IsMatrix(AdapterTensor tensor, long rows, long columns) =>
        rows > 0 && tensor.Rows == rows && tensor.Elements == rows * columns;

    private protected static bool IsCore(AdapterTensor tensor, long first, long second, long kernel) =>
        tensor.Rows == first && tensor.Size(1) == second && tensor.Elements == first * second * kernel;

    private protected static Tensor Matrix(AdapterTensor tensor, Device device) => tensor.Exact(device).reshape(tensor.Rows, -1);

    private protected static Tensor Cube(AdapterTensor tensor, Device device) =>
        tensor.Exact(device).reshape(tensor.Rows, tensor.Size(1), -1);
}

/// <summary>B·A, or B·core·A over the kernel of a convolution.</summary>
/// <param name="Down">A [r, in(, kernel)]</param>
/// <param name="Up">B [out, r]</param>
/// <param name="Core">[r, r, kernel], or null.</param>
public sealed record PairDelta(AdapterTensor Down, AdapterTensor Up, AdapterTensor? Core) : WeightDelta
{
    public override long? Rank => Down.Rows;

    public override bool TakesAlphaOfHeader => true;

    public override IReadOnlyList<AdapterTensor> Parts => Core is null ? [Down, Up] : [Down, Core, Up];

    public override bool Fits(WeightSizes sizes) =>
        IsMatrix(Up, sizes.Out, Down.Rows)
        && Up.Shape.Count > 1
        && (
            Core is null
                ? IsMatrix(Down, Down.Rows, sizes.In * sizes.Kernel)
                : IsMatrix(Down, Down.Rows, sizes.In) && IsCore(Core, Down.Rows, Down.Rows, sizes.Kernel)
        );

    public override Tensor Of(WeightSizes sizes, Device device) =>
        Core is null
            ? Product.OfMatrices(Matrix(Up, device), Matrix(Down, device))
            : ThroughCore(Cube(Core, device), Matrix(Up, device).t(), Matrix(Down, device));
}

/// <summary>LoHa: two products, multiplied element by element.</summary>
/// <param name="A">[out, r], or [r, out] beside a core.</param>
/// <param name="B">[r, in·kernel], or [r, in] beside a core.</param>
/// <param name="Core">[r, r, kernel], or null.</param>
public sealed record HadamardFactor(AdapterTensor A, AdapterTensor B, AdapterTensor? Core);

/// <summary>LoHa.</summary>
public sealed record HadamardDelta(HadamardFactor First, HadamardFactor Second) : WeightDelta
{
    public override long? Rank => First.B.Rows;

    public override IReadOnlyList<AdapterTensor> Parts =>
        [.. new[] { First, Second }.SelectMany(factor => new[] { factor.A, factor.B, factor.Core }).OfType<AdapterTensor>()];

    public override bool Fits(WeightSizes sizes) => Fits(First, sizes) && Fits(Second, sizes);

    public override Tensor Of(WeightSizes sizes, Device device) => Of(First, device) * Of(Second, device);

    private static bool Fits(HadamardFactor factor, WeightSizes sizes) =>
        factor.Core is null
            ? IsMatrix(factor.A, sizes.Out, factor.B.Rows) && IsMatrix(factor.B, factor.B.Rows, sizes.In * sizes.Kernel)
            : IsMatrix(factor.A, factor.A.Rows, sizes.Out)
                && IsMatrix(factor.B, factor.B.Rows, sizes.In)
                && IsCore(factor.Core, factor.A.Rows, factor.B.Rows, sizes.Kernel);

    private static Tensor Of(HadamardFactor factor, Device device) =>
        factor.Core is null
            ? Product.OfMatrices(Matrix(factor.A, device), Matrix(factor.B, device))
            : ThroughCore(Cube(factor.Core, device), Matrix(factor.A, device), Matrix(factor.B, device));
}

/// <summary>A matrix of a Kronecker product: whole, or a product itself.</summary>
/// <param name="Whole">Null where it is A·B.</param>
/// <param name="Core">[r, r, kernel]; then A is [r, out].</param>
public sealed record KroneckerFactor(AdapterTensor? Whole, AdapterTensor? A, AdapterTensor? B, AdapterTensor? Core)
{
    internal IEnumerable<AdapterTensor> Parts => new[] { Whole, A, B, Core }.OfType<AdapterTensor>();

    /// <summary>How many rows it has; 0 where nothing tells.</summary>
    internal long Out => Whole?.Rows ?? (Core is null ? A!.Rows : A!.Size(1));
}

/// <summary>LoKr: every number of the first matrix times the whole second one.</summary>
/// <param name="Second">Has the kernel of a convolution.</param>
public sealed record KroneckerDelta(KroneckerFactor First, KroneckerFactor Second) : WeightDelta
{
    public override long? Rank => (Second.B ?? First.B)?.Rows;

    public override IReadOnlyList<AdapterTensor> Parts => [.. First.Parts, .. Second.Parts];

    public override bool Fits(WeightSizes sizes)
    {
        var (outer, inner) = (First.Out, Second.Out);
        var columns = First.Whole?.Size(1) ?? (First.B is { Rows: > 0 } b ? b.Elements / b.Rows : 0);
        return outer > 0
            && inner > 0
            && columns > 0
            && outer * inner == sizes.Out
            && sizes.In % columns == 0
            && Fits(First, outer, columns, 1)
            && Fits(Second, inner, sizes.In / columns, sizes.Kernel);
    }

    public override Tensor Of(WeightSizes sizes, Device device)
    {
        var first = Of(First, 1, device); // [a, c, 1]
        var second = Of(Second, sizes.Kernel, device); // [b, d, k]
        // [a, 1, c, 1, 1] · [1, b, 1, d, k]
        return first.unsqueeze(1).unsqueeze(3) * second.unsqueeze(0).unsqueeze(2);
    }

    private static bool Fits(KroneckerFactor factor, long rows, long columns, long kernel) =>
        factor switch
        {
            { Whole: { } whole } => IsMatrix(whole, rows, columns * kernel),
            { Core: { } core } => IsMatrix(factor.A!, factor.A!.Rows, rows)
                && IsMatrix(factor.B!, factor.B!.Rows, columns)
                && IsCore(core, factor.A!.Rows, factor.B!.Rows, kernel),
            _ => IsMatrix(factor.A!, rows, factor.B!.Rows) && IsMatrix(factor.B!, factor.B!.Rows, columns * kernel),
        };

    private static Tensor Of(KroneckerFactor factor, long kernel, Device device) =>
        factor switch
        {
            { Whole: { } whole } => Matrix(whole, device).reshape(whole.Rows, -1, kernel),
            { Core: { } core } => ThroughCore(Cube(core, device), Matrix(factor.A!, device), Matrix(factor.B!, device)),
            _ => Product.OfMatrices(Matrix(factor.A!, device), Matrix(factor.B!, device)).reshape(factor.A!.Rows, -1, kernel),
        };
}
