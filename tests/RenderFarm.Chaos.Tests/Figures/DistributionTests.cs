using RenderFarm.Testing;

namespace RenderFarm.Chaos.Tests.Figures;

public sealed class DistributionTests
{
    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(30, 15, 30)] // Of thirty the 99th percentile is the worst
    [InlineData(100, 50, 99)]
    [InlineData(600, 300, 594)]
    public void At_SoManyMeasurements_IsTheNearestRank(int count, double median, double p99)
    {
        var all = new Distribution(Enumerable.Range(1, count).Reverse().Select(number => (double)number));

        Assert.Equal((count, median, p99, count), (all.Count, all.P50, all.P99, all.Max));
    }

    [Fact]
    public void At_NoMeasurement_IsNoFigureAndMeetsNoLimit()
    {
        var none = new Distribution([]);

        Assert.Null(none.P99);
        Assert.False(none.P99 <= 30);
    }
}
