using RenderFarm.Inference.Arithmetic;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.Arithmetic;

/// <summary>Which of several ways is taken, on ways that are wrong as the test wants them.</summary>
public sealed class OperationTests
{
    [Fact]
    public void Judge_FirstWayRight_TakesItAndTriesNoOther()
    {
        var tried = 0;

        var finding = Doubling(
                Right("direct"),
                new("slow", x =>
                {
                    tried++;
                    return x * 2;
                })
            )
            .Judge();

        Assert.Equal((true, "direct", false, 0), (finding.Right, finding.Way, finding.UsualWayIsOff, tried));
    }

    [Fact]
    public void Judge_FirstWayWrongOnOneTrial_TakesTheNextAndSaysWhere()
    {
        var finding = Doubling(new("direct", x => x.shape[0] == 24 ? x * 2.2 : x * 2), Right("slow")).Judge();

        Assert.Equal((true, "slow", true), (finding.Right, finding.Way, finding.UsualWayIsOff));
        Assert.StartsWith(
            "doubling direct is off by 1.0e-1 (1 of 2 trials; 24 numbers): it is done slow",
            finding.Detail,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Judge_NotANumber_IsWrong()
    {
        var finding = Doubling(new("direct", x => x * double.NaN), Right("slow")).Judge();

        Assert.Equal("slow", finding.Way);
        Assert.Contains("(2 of 2 trials", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_NoWayRight_SaysAllOfThem()
    {
        var finding = Doubling(new("direct", x => x * 3), new("slow", x => x * 4)).Judge();

        Assert.Equal((false, null), (finding.Right, finding.Way));
        Assert.Contains("direct is off by 5.0e-1", finding.Detail, StringComparison.Ordinal);
        Assert.Contains("slow is off by 1.0e+0", finding.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_Always_LeavesNoTensorBehindAndTheNumbersOfARenderAsTheyWere()
    {
        manual_seed(5);
        using var expected = randn(4);
        manual_seed(5);
        var live = Tensor.TotalCount;

        Doubling(new("direct", x => x * 3), Right("slow")).Judge();

        Assert.Equal(live, Tensor.TotalCount);
        using var actual = randn(4);
        Assert.Equal(expected.data<float>().ToArray(), actual.data<float>().ToArray());
    }

    private static Way<Tensor> Right(string name) => new(name, x => x * 2);

    private static Operation<Tensor> Doubling(params Way<Tensor>[] ways) =>
        new(
            "doubling",
            1e-5,
            ways,
            x =>
            {
                using var exact = x.to(ScalarType.Float64);
                return exact * 2;
            },
            numbers => [new("16 numbers", numbers.Normal(16)), new("24 numbers", numbers.Normal(24))]
        );
}
