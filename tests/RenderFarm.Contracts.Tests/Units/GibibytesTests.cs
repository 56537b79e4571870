using RenderFarm.Contracts.Units;

namespace RenderFarm.Contracts.Tests.Units;

public sealed class GibibytesTests
{
    [Theory]
    [InlineData(1, 1_073_741_824)]
    [InlineData(0.5, 536_870_912)]
    [InlineData(140, 150_323_855_360)]
    public void ToBytes_AndBack_IsTheSame(double gibibytes, long bytes)
    {
        Assert.Equal(bytes, Gibibytes.ToBytes(gibibytes));
        Assert.Equal(gibibytes, Gibibytes.Of(bytes));
    }
}
