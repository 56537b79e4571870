namespace RenderFarm.Planning.Tests;

public sealed class NamesTests
{
    [Theory]
    [InlineData(0.0123, "12.3 ms")]
    [InlineData(3.24, "3.2 s")]
    [InlineData(725, "12 min 5 s")]
    [InlineData(12_000, "3 h 20 min")]
    public void Seconds_AnyLength_ReadsNaturally(double seconds, string expected) => Assert.Equal(expected, Names.Seconds(seconds));
}
