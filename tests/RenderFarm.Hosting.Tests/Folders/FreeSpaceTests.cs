using RenderFarm.Hosting.Folders;

namespace RenderFarm.Hosting.Tests.Folders;

public sealed class FreeSpaceTests
{
    [Fact]
    public void BytesFor_AFolderThatIsNotMadeYet_LooksAtTheDiskItWouldBeOn()
    {
        List<string> asked = [];
        var disks = new FreeSpace(folder =>
        {
            asked.Add(folder);
            return new DiskRoom(7, 9);
        });

        Assert.Equal(7, disks.BytesFor(Path.Combine(Path.GetTempPath(), "no", "such", "folder")));
        Assert.Equal([Path.TrimEndingDirectorySeparator(Path.GetTempPath())], asked);
    }

    [Fact]
    public void OfDisks_ThisHost_HasSomeAndNoMoreThanThereIs()
    {
        var room = FreeSpace.OfDisks.Of(Path.GetTempPath());

        Assert.InRange(room.FreeBytes, 1, room.TotalBytes);
    }
}
