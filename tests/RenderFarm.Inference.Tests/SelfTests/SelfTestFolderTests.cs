using RenderFarm.Inference.SelfTests;

namespace RenderFarm.Inference.Tests.SelfTests;

public sealed class SelfTestFolderTests : IDisposable
{
    private static readonly SelfTestKey Key = new("a processor", "", "2.10", "build");
    private static readonly SelfTestRecord Record = new(
        Key,
        [
            new CaseFinding("conv2d", Right: true, "conv2d direct is off: it is done as conv3d")
            {
                Way = "as conv3d",
                UsualWayIsOff = true,
            },
            new CaseFinding("linear", Right: true, "linear is right") { Way = "direct" },
            new CaseFinding("attention", Right: false, "attention is wrong"),
        ]
    );

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Find_SameKey_GivesWhatWasKept()
    {
        var folder = new SelfTestFolder(_scratch["kept"]);

        Assert.Null(folder.Keep(Record));

        var found = folder.Find(Key)!;
        Assert.Equal(Record.Findings, found.Findings);
        Assert.Equal(1, found.Off);
        Assert.Equal(["conv2d direct is off: it is done as conv3d", "attention is wrong"], found.Faults);
    }

    [Theory]
    [InlineData("another processor", "", "2.10", "build")]
    [InlineData("a processor", "580", "2.10", "build")]
    [InlineData("a processor", "", "2.11", "build")]
    [InlineData("a processor", "", "2.10", "another build")]
    public void Find_AnotherKey_FindsNothing(string device, string driver, string libtorch, string build)
    {
        var folder = new SelfTestFolder(_scratch["kept"]);
        folder.Keep(Record);

        Assert.Null(folder.Find(new SelfTestKey(device, driver, libtorch, build)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"key\":")]
    [InlineData("{}")]
    [InlineData("null")]
    public void Find_FileCutOffOrOfAnotherForm_IsAsIfNeverJudged(string text)
    {
        var folder = new SelfTestFolder(_scratch["kept"]);
        folder.Keep(Record);
        File.WriteAllText(Directory.EnumerateFiles(_scratch["kept"]).Single(), text);

        Assert.Null(folder.Find(Key));
    }

    [Fact]
    public void Keep_FolderCantBeMade_SaysWhyAndGoesOn()
    {
        File.WriteAllText(_scratch["file"], "");

        Assert.NotNull(new SelfTestFolder(Path.Combine(_scratch["file"], "kept")).Keep(Record));
        Assert.NotNull(SelfTestFolder.Nowhere.Keep(Record));
        Assert.Null(SelfTestFolder.Nowhere.Find(Key));
    }
}
