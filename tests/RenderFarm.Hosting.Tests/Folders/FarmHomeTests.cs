using RenderFarm.Hosting.Folders;

namespace RenderFarm.Hosting.Tests.Folders;

public sealed class FarmHomeTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("  ")]
    public void Of_NothingNamed_IsInTheUsersHome(string? named)
    {
        var home = FarmHome.Of(named);

        Assert.True(Path.IsPathRooted(home.Root));
        Assert.Equal(".renderfarm", Path.GetFileName(home.Root));
    }

    [Fact]
    public void Of_ARelativeFolder_IsMadeWhole() =>
        Assert.Equal(Path.Combine(Environment.CurrentDirectory, "farm", "keys.json"), FarmHome.Of("farm").Keys);
}
