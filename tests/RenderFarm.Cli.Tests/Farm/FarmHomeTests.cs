using RenderFarm.Cli.Farm;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Cli.Tests.Farm;

public sealed class FarmHomeTests
{
    [Fact]
    public void Create_WhereNoFolderCanBe_SaysWhichAndHowToNameAnother()
    {
        var file = Path.GetTempFileName();
        try
        {
            var error = Assert.Throws<FarmException>(() => new FarmHome(Path.Combine(file, "home")).Create());

            Assert.Equal("home_not_writable", error.Code);
            Assert.Contains(file, error.Message, StringComparison.Ordinal);
            Assert.Contains(FarmHome.Variable, error.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
