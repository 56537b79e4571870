using RenderFarm.Inference.Safetensors;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Wan.Tests.Checkpoints;

/// <summary>Downloads often keep their files in one folder and links to them in others.</summary>
public sealed class LinkedFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_LinkToAPth_ReadsWhatItLeadsTo()
    {
        var link = _folder.File("umt5_weights.pth");
        File.CreateSymbolicLink(link, GoldenFiles.Path("umt5_weights.pth"));

        using var file = PthFile.Open(link);

        Assert.NotEmpty(file.Entries);
    }

    [Fact]
    public void Of_LinkToALink_IsTheFileAtTheEnd()
    {
        File.WriteAllBytes(_folder.File("weights"), new byte[1234]);
        File.CreateSymbolicLink(_folder.File("first"), _folder.File("weights"));
        File.CreateSymbolicLink(_folder.File("second"), _folder.File("first"));

        Assert.Equal(1234, LinkedFile.Of(_folder.File("second")).Length);
        Assert.Equal(1234, LinkedFile.Of(_folder.File("weights")).Length);
    }
}
