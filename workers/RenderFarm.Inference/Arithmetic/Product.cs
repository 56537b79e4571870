using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>Products of matrices, in the way that is right on this processor. On a card there is one way.</summary>
public static class Product
{
    /// <param name="x">[…, in]</param>
    /// <param name="weight">[out, in], in the type of x.</param>
    public static Tensor Linear(Tensor x, Tensor weight, Tensor? bias = null)
    {
        if (x.device_type == DeviceType.CPU)
        {
            switch (x.dtype)
            {
                case ScalarType.Float32:
                    return ProcessorArithmetic.Linear.Apply(new LinearInput(x, weight, bias));
                case ScalarType.BFloat16:
                    return ProcessorArithmetic.LinearInBFloat16.Apply(new LinearInput(x, weight, bias));
            }
        }
        return nn.functional.linear(x, weight, bias);
    }

    /// <summary>Stacks of matrices, as <see cref="Tensor.matmul(Tensor)"/> has it.</summary>
    public static Tensor OfMatrices(Tensor a, Tensor b)
    {
        if (a.device_type == DeviceType.CPU)
        {
            switch (a.dtype)
            {
                case ScalarType.Float32:
                    return ProcessorArithmetic.Matrices.Apply(new MatrixInput(a, b));
                case ScalarType.BFloat16:
                    return ProcessorArithmetic.MatricesInBFloat16.Apply(new MatrixInput(a, b));
            }
        }
        return a.matmul(b);
    }

    internal static Operation<LinearInput> LinearOperation() =>
        new(
            "linear",
            ProcessorArithmetic.Float32Limit,
            [new("direct", Direct), new("in float64", input => LinearIn(ScalarType.Float64, input))],
            Exact,
            numbers => ProductTrials.Linear(numbers, ScalarType.Float32)
        );

    internal static Operation<LinearInput> LinearInBFloat16Operation() =>
        new(
            "linear in bf16",
            ProcessorArithmetic.BFloat16Limit,
            [
                new("direct", Direct),
                new("in float32", input => LinearIn(ScalarType.Float32, input)),
                new("in float64", input => LinearIn(ScalarType.Float64, input)),
            ],
            Exact,
            numbers => ProductTrials.Linear(numbers, ScalarType.BFloat16)
        );

    internal static Operation<MatrixInput> MatricesOperation() =>
        new(
            "matmul",
            ProcessorArithmetic.Float32Limit,
            [new("direct", DirectMatrices), new("in float64", input => MatricesIn(ScalarType.Float64, input))],
            ExactMatrices,
            numbers => ProductTrials.Matrices(numbers, ScalarType.Float32)
        );

    internal static Operation<MatrixInput> MatricesInBFloat16Operation() =>
        new(
            "matmul in bf16",
            ProcessorArithmetic.BFloat16Limit,
            [
                new("direct", DirectMatrices),
                new("in float32", input => MatricesIn(ScalarType.Float32, input)),
                new("in float64", input => MatricesIn(ScalarType.Float64, input)),
            ],
            ExactMatrices,
            numbers => ProductTrials.Matrices(numbers, ScalarType.BFloat16)
        );

    private static Tensor Direct(LinearInput input) => nn.functional.linear(input.X, input.Weight, input.Bias);

    private static Tensor DirectMatrices(MatrixInput input) => input.A.matmul(input.B);

    private static Tensor Exact(LinearInput input)
    {
        using var scope = NewDisposeScope();
        return nn
            .functional.linear(
                input.X.to(ScalarType.Float64),
                input.Weight.to(ScalarType.Float64),
                input.Bias?.to(ScalarType.Float64)
            )
            .MoveToOuterDisposeScope();
    }

    private static Tensor ExactMatrices(MatrixInput input)
    {
        using var scope = NewDisposeScope();
        return input.A.to(ScalarType.Float64).matmul(input.B.to(ScalarType.Float64)).MoveToOuterDisposeScope();
    }

    private static Tensor LinearIn(ScalarType type, LinearInput input)
    {
        using var scope = NewDisposeScope();
        return nn
            .functional.linear(input.X.to(type), input.Weight.to(type), input.Bias?.to(type))
            .to(input.X.dtype)
            .MoveToOuterDisposeScope();
    }

    private static Tensor MatricesIn(ScalarType type, MatrixInput input)
    {
        using var scope = NewDisposeScope();
        return input.A.to(type).matmul(input.B.to(type)).to(input.A.dtype).MoveToOuterDisposeScope();
    }
}
