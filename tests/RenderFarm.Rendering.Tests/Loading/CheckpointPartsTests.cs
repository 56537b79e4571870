using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Loading;
using RenderFarm.Testing;

namespace RenderFarm.Rendering.Tests.Loading;

public sealed class CheckpointPartsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>A download cache moves its links to the files of a newer revision.</summary>
    [Fact]
    public void Fingerprint_LinkLeadsToAnotherFile_IsAnother()
    {
        File.WriteAllBytes(_folder.File("old"), new byte[10]);
        File.WriteAllBytes(_folder.File("new"), new byte[11]);
        var link = _folder.File("vae.safetensors");
        var parts = new CheckpointParts(
            new ModelFiles
            {
                Transformer = [],
                TextEncoder = [],
                Tokenizer = "",
                Vae = [link],
            },
            ModelShapes.Tiny
        );
        File.CreateSymbolicLink(link, _folder.File("old"));
        var before = parts.Fingerprint(ModelPart.Vae);
        Assert.Equal(before, parts.Fingerprint(ModelPart.Vae));

        File.Delete(link);
        File.CreateSymbolicLink(link, _folder.File("new"));

        Assert.NotEqual(before, parts.Fingerprint(ModelPart.Vae));
    }
}
