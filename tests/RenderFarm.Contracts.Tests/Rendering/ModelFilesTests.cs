using RenderFarm.Contracts.Models;

namespace RenderFarm.Contracts.Tests.Rendering;

public sealed class ModelFilesTests
{
    [Fact]
    public void In_AFolder_MakesEveryPathFull()
    {
        var files = new ModelFiles
        {
            Transformer = ["high/1.safetensors", "/elsewhere/2.safetensors"],
            TransformerLowNoise = ["low.safetensors"],
            TextEncoder = ["../t5.safetensors"],
            Tokenizer = "spiece.model",
            Vae = ["vae.safetensors"],
            ImageEncoder = ["clip.safetensors"],
            Loras = new Dictionary<string, string> { ["film"] = "loras/film.safetensors" },
            LorasLowNoise = new Dictionary<string, string> { ["film"] = "loras/film-low.safetensors" },
        };

        var full = files.In("/models/mine");

        Assert.Equal(["/models/mine/high/1.safetensors", "/elsewhere/2.safetensors"], full.Transformer);
        Assert.Equal(
            [
                "/models/mine/low.safetensors", "/models/t5.safetensors", "/models/mine/spiece.model",
                "/models/mine/vae.safetensors", "/models/mine/clip.safetensors",
            ],
            [.. full.TransformerLowNoise, .. full.TextEncoder, full.Tokenizer, .. full.Vae, .. full.ImageEncoder]
        );
        Assert.Equal(
            ["/models/mine/loras/film.safetensors", "/models/mine/loras/film-low.safetensors"],
            [full.Loras["film"], full.LorasLowNoise["film"]]
        );
    }
}
