using RenderFarm.Cli.Models;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Models;

public sealed class PublishedCheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Find_OneTransformerInShards_TakesThemInOrderAndPrefersSafetensors()
    {
        Touch(
            "diffusion_pytorch_model-00002-of-00002.safetensors",
            "diffusion_pytorch_model-00001-of-00002.safetensors",
            "models_t5_umt5-xxl-enc-bf16.pth",
            "Wan2.1_VAE.pth",
            "Wan2.1_VAE.safetensors",
            "google/umt5-xxl/spiece.model"
        );

        var files = PublishedCheckpoint.Find(ModelShapes.Get("t2v-14b"), _folder.Path);

        Assert.Equal(
            ["diffusion_pytorch_model-00001-of-00002.safetensors", "diffusion_pytorch_model-00002-of-00002.safetensors"],
            files.Transformer.Select(Path.GetFileName)
        );
        Assert.Equal("models_t5_umt5-xxl-enc-bf16.pth", Path.GetFileName(Assert.Single(files.TextEncoder)));
        Assert.Equal("Wan2.1_VAE.safetensors", Path.GetFileName(Assert.Single(files.Vae)));
        Assert.Empty(files.ImageEncoder);
    }

    [Fact]
    public void Find_TwoExperts_KeepsThemApart()
    {
        Touch(
            "high_noise_model/diffusion_pytorch_model.safetensors",
            "low_noise_model/diffusion_pytorch_model.safetensors",
            "models_t5_umt5-xxl-enc-bf16.pth",
            "Wan2.1_VAE.pth",
            "google/umt5-xxl/spiece.model"
        );

        var files = PublishedCheckpoint.Find(ModelShapes.Get("t2v-a14b"), _folder.Path);

        Assert.Contains("high_noise_model", Assert.Single(files.Transformer), StringComparison.Ordinal);
        Assert.Contains("low_noise_model", Assert.Single(files.TransformerLowNoise), StringComparison.Ordinal);
    }

    [Fact]
    public void Find_ComponentMissing_NamesItAndWhatWasLookedFor()
    {
        Touch("diffusion_pytorch_model.safetensors", "models_t5_umt5-xxl-enc-bf16.pth", "google/umt5-xxl/spiece.model");

        var error = Assert.Throws<FarmException>(() => PublishedCheckpoint.Find(ModelShapes.Get("t2v-1-3b"), _folder.Path));

        Assert.Equal("missing_component", error.Code);
        Assert.Contains("VAE", error.Message, StringComparison.Ordinal);
        Assert.Contains("Wan2.1_VAE*.safetensors", error.Message, StringComparison.Ordinal);
    }

    private void Touch(params string[] names)
    {
        foreach (var name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder.File(name))!);
            File.WriteAllText(_folder.File(name), "");
        }
    }
}
