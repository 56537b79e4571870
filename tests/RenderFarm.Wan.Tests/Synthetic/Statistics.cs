using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Synthetic;

/// <summary>What is on record of a reference result: enough to notice any element that moved.</summary>
/// <param name="Check">Sum of each element times the synthetic value of the same index.</param>
internal sealed record Statistics(double Mean, double Rms, double Check, double[] First, double Last)
{
    private const double Tolerance = 2e-5; // float32, another order of summation

    public void AssertMatches(Tensor actual)
    {
        using var scope = NewDisposeScope();
        var values = actual.to(ScalarType.Float64).contiguous().data<double>().ToArray();
        var check = SyntheticValues.Of("check", values.Length);
        Assert.Equal(Mean, values.Average(), Tolerance);
        Assert.Equal(Rms, Math.Sqrt(values.Average(value => value * value)), Tolerance);
        for (var i = 0; i < First.Length; i++)
        {
            Assert.Equal(First[i], values[i], Tolerance);
        }

        Assert.Equal(Last, values[^1], Tolerance);
        Assert.Equal(Check, values.Zip(check).Sum(pair => pair.First * pair.Second), Tolerance * Math.Sqrt(values.Length));
    }
}
