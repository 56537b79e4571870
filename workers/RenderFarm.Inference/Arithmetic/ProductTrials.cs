using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>Products as transformers and text encoders have them, with rows and widths that fill no block of a library.</summary>
internal static class ProductTrials
{
    private static readonly (int Rows, int In, int Out)[] Sizes =
    [
        (1, 96, 256),
        (7, 24, 72),
        (60, 40, 56),
        (77, 256, 96),
        (129, 88, 264),
        (12, 1536, 200),
    ];

    public static IEnumerable<Trial<LinearInput>> Linear(TrialTensors numbers, ScalarType type)
    {
        foreach (var (rows, from, to) in Sizes)
        {
            var input = new LinearInput(
                numbers.Normal(1, rows, from).to(type),
                numbers.Normal(to, from).to(type),
                numbers.Normal(to).to(type)
            );
            yield return new Trial<LinearInput>($"{rows} rows, {from} to {to}", input);
            yield return new Trial<LinearInput>($"{rows} rows, {from} to {to}, no bias", input with { Bias = null });
        }
    }

    public static IEnumerable<Trial<MatrixInput>> Matrices(TrialTensors numbers, ScalarType type)
    {
        foreach (var (rows, inner, columns) in new[] { (9, 16, 9), (33, 64, 33), (24, 40, 56), (77, 88, 12) })
        {
            var a = numbers.Normal(1, 3, rows, inner).to(type);
            yield return new Trial<MatrixInput>(
                $"{rows} x {inner} by {inner} x {columns}",
                new MatrixInput(a, numbers.Normal(1, 3, inner, columns).to(type))
            );
            yield return new Trial<MatrixInput>(
                $"{rows} x {inner} by {columns} x {inner} turned",
                new MatrixInput(a, numbers.Normal(1, 3, columns, inner).to(type).transpose(-2, -1))
            );
        }
    }
}
