using RenderFarm.Hosting.Folders;

namespace RenderFarm.Hosting.Tests.Folders;

public sealed class FreeSpaceTests
{
    [Fact]
    public void BytesFor_AFolderThatIsNotMadeYet_LooksAtTheDiskItWouldBeOn() =>
        Assert.True(FreeSpace.BytesFor(Path.Combine(Path.GetTempPath(), "no", "such", "folder")) > 0);
}
