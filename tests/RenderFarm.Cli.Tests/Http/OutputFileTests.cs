using RenderFarm.Cli.Http;
using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Http;

public sealed class OutputFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Of_NoNameChosen_CountsUpFromOurs()
    {
        var ours = _folder.File("out.mp4");
        Assert.Equal(ours, OutputFile.Of(null, ours, force: false).FullPath);

        File.WriteAllText(ours, "mine");
        Assert.Equal(_folder.File("out-2.mp4"), OutputFile.Of(null, ours, force: false).FullPath);

        File.WriteAllText(_folder.File("out-2.mp4"), "mine");
        Assert.Equal(_folder.File("out-3.mp4"), OutputFile.Of(null, ours, force: false).FullPath);
        Assert.Equal(ours, OutputFile.Of(null, ours, force: true).FullPath);
    }

    [Fact]
    public void Take_OursWasTakenMeanwhile_CountsOn()
    {
        var file = OutputFile.Of(null, _folder.File("out.mp4"), force: false);
        File.WriteAllText(_folder.File("out.mp4"), "mine");
        File.WriteAllText(_folder.File("part"), "video");

        file.Take(_folder.File("part"));

        Assert.Equal(_folder.File("out-2.mp4"), file.FullPath);
        Assert.Equal(("mine", "video"), (File.ReadAllText(_folder.File("out.mp4")), File.ReadAllText(_folder.File("out-2.mp4"))));
    }

    [Fact]
    public void Require_AFolder_SaysSo()
    {
        var error = Assert.Throws<FarmException>(() => OutputFile.Of(_folder.Path, "out.mp4", force: true).Require());

        Assert.Equal("cannot_write", error.Code);
        Assert.Contains("it is a folder", error.Message, StringComparison.Ordinal);
    }
}
