using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.Quantization;

public sealed class EightBitsTests
{
    [Fact]
    public void QuantizeRows_Int8_IsOffByHalfAStepOfItsRowAtMost()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var x = randn(9, 640) * logspace(-3, 3, 9).view(9, 1);

        var (values, scales) = Int8.QuantizeRows(x);

        var off = (values.to(ScalarType.Float32) * scales - x).abs().amax([-1], keepdim: true) / scales;
        Assert.True(off.max().item<float>() <= 0.5001f, $"{off.max().item<float>()} steps");
        Assert.Equal(Enumerable.Repeat(127f, 9), values.to(ScalarType.Float32).abs().amax([-1]).data<float>().ToArray());
    }

    [Fact]
    public void QuantizeRows_RowOfZeros_StaysZerosWithScaleOne()
    {
        using var scope = NewDisposeScope();
        var (values, scales) = Int8.QuantizeRows(zeros(1, 16));
        Assert.Equal(0, values.to(ScalarType.Int32).abs().sum().item<long>());
        Assert.Equal(1f, scales.item<float>());
    }

    [Fact]
    public void QuantizeRows_GaussianWeights_Int8IsMoreThanTwiceAsFineAsE4M3()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        var weight = randn(64, 5120) * 0.014;
        double Error(ScalarType code)
        {
            var (values, scales) = EightBits.QuantizeRows(weight, code);
            return ((EightBits.Dequantize(values, scales, ScalarType.Float32) - weight).norm() / weight.norm()).item<float>();
        }

        Assert.InRange(Error(Float8.Type) / Error(Int8.Type), 2, 4);
    }

    [Fact]
    public void QuantizeRows_AnotherType_IsRefusedByName()
    {
        using var x = zeros(1, 8);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => EightBits.QuantizeRows(x, ScalarType.Float16));
        Assert.Contains("Float16", error.Message, StringComparison.Ordinal);
    }
}
