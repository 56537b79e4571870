using RenderFarm.Cli.Farm;
using RenderFarm.Hosting.Folders;
using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Farm;

public sealed class HomeLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Take_ASecondTime_NamesWhoHasIt()
    {
        var home = FarmHome.Of(_folder.Path);
        using (HomeLock.Take(home, "http://127.0.0.1:8080"))
        {
            foreach (var ask in (Action[])[() => HomeLock.RequireFree(home), () => HomeLock.Take(home, "http://127.0.0.1:8081").Dispose()])
            {
                var error = Assert.Throws<FarmException>(ask);
                Assert.Equal("already_running", error.Code);
                Assert.StartsWith(
                    $"a farm runs here already: process {Environment.ProcessId}, http://127.0.0.1:8080, in {_folder.Path}",
                    error.Message,
                    StringComparison.Ordinal
                );
            }
        }

        HomeLock.RequireFree(home);
        HomeLock.Take(home, "http://127.0.0.1:8081").Dispose();
    }

    [Fact]
    public void RequireFree_NothingThere_MakesNothing()
    {
        HomeLock.RequireFree(FarmHome.Of(_folder.File("home")));

        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }
}
