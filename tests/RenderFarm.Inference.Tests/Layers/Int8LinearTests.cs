using RenderFarm.Cuda.Aten;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.Layers;

public sealed class Int8LinearTests
{
    private readonly PlainInt8Products _products = new();

    [Fact]
    public void Apply_RowsAndWeights_IsTheProductOfWhatTheyWereRoundedTo()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var (weight, scales) = Int8.QuantizeRows(randn(24, 40));
        var bias = randn(24).to(ScalarType.BFloat16);
        var rows = _products.Quantize(randn(2, 5, 40) * 30);

        var product = new Int8Linear(weight, scales, bias, _products).Apply(rows);

        var exact = nn.functional.linear(
            rows.Values.to(ScalarType.Float64) * rows.Scales!,
            weight.to(ScalarType.Float64) * scales,
            bias.to(ScalarType.Float64)
        );
        Assert.Equal([2, 5, 24], product.shape);
        Assert.True(((product - exact).norm() / exact.norm()).item<double>() < 3e-3);
    }

    [Fact]
    public void Apply_LongestSums_AreExact()
    {
        using var scope = NewDisposeScope();
        const int Longest = 13824;
        var weight = ones([8, Longest], dtype: Int8.Type) * 127;
        var rows = new Activation(ones([1, 1, Longest], dtype: Int8.Type) * 127, ones(1, 1, 1));

        var product = new Int8Linear(weight, ones(8, 1) / (127 * 127), null, _products).Apply(rows);

        Assert.All(product.to(ScalarType.Float32).data<float>().ToArray(), value => Assert.Equal((float)Longest, value));
    }

    [Fact]
    public void IntMm_IsTheSumOfTheDefinition()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        static Tensor Whole(long rows) => (rand(rows, 64) * 254 - 127).round().to(Int8.Type);
        var (a, b) = (Whole(33), Whole(16));

        var sums = AtenOps.IntMm(a, b.t());

        Assert.Equal(ScalarType.Int32, sums.dtype);
        var exact = a.to(ScalarType.Int64).matmul(b.to(ScalarType.Int64).t());
        Assert.True(sums.to(ScalarType.Int64).equal(exact).all().item<bool>());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(32760)]
    [InlineData(75600)]
    public void Pieces_AnyRows_CoverThemEvenlyWithinTheirMemory(long rows)
    {
        const long Out = 15360;
        var pieces = FusedInt8Products.Pieces(rows, Out).ToList();

        Assert.Equal(0, pieces[0].Start);
        Assert.Equal(rows, pieces.Sum(piece => piece.Count));
        Assert.All(pieces.Zip(pieces.Skip(1)), pair => Assert.Equal(pair.Second.Start, pair.First.Start + pair.First.Count));
        Assert.All(pieces, piece => Assert.True(piece.Count * Out * sizeof(int) <= FusedInt8Products.SumBytes));
        Assert.InRange(pieces.Max(piece => piece.Count) - pieces.Min(piece => piece.Count), 0, 1);
    }

    [Fact]
    public void Input_AsksForRowsInInt8() => Assert.Equal(RowFormat.Int8, Of([1]).Input);

    [Fact]
    public void Apply_DenseRows_RoundsThemFirst()
    {
        using var scope = NewDisposeScope();
        manual_seed(6);
        var linear = Of([24, 40]);
        var x = randn(1, 3, 40);
        var given = new PlainTokenOps(ScalarType.BFloat16).Rows(x, RowFormat.Int8);

        Assert.True(linear.Apply(new Activation(x)).equal(linear.Apply(given)).all().item<bool>());
    }

    private Int8Linear Of(long[] shape)
    {
        var (weight, scales) = Int8.QuantizeRows(randn(shape));
        return new Int8Linear(weight, scales, null, _products);
    }
}
