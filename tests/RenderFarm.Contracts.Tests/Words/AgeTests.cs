using RenderFarm.Contracts.Words;

namespace RenderFarm.Contracts.Tests.Words;

public sealed class AgeTests
{
    [Theory]
    [InlineData("90s", 90)]
    [InlineData("30m", 1800)]
    [InlineData("12h", 43_200)]
    [InlineData("7d", 604_800)]
    public void TryParse_NumberAndUnit_IsThatLong(string text, double seconds)
    {
        Assert.True(Age.TryParse(text, out var age));
        Assert.Equal(seconds, age.TotalSeconds);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("7")]
    [InlineData("d")]
    [InlineData("-7d")]
    [InlineData("7 d")]
    [InlineData("7w")]
    [InlineData("2147483647d")]
    [InlineData("99999999999d")]
    public void TryParse_AnythingElse_IsNone(string? text) => Assert.False(Age.TryParse(text, out _));
}
