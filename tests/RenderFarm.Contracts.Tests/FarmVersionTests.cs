namespace RenderFarm.Contracts.Tests;

public sealed class FarmVersionTests
{
    [Fact]
    public void Full_OfThisBuild_IsASemanticVersionWithoutTheCommit() =>
        Assert.Matches(@"^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$", FarmVersion.Full);

    [Fact]
    public void Release_OfThisBuild_IsItsThreeNumbers()
    {
        Assert.Matches(@"^\d+\.\d+\.\d+$", FarmVersion.Release);
        Assert.StartsWith(FarmVersion.Release, FarmVersion.Full, StringComparison.Ordinal);
    }
}
