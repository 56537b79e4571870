using System.Text.Json;
using RenderFarm.Contracts.Json;

namespace RenderFarm.Contracts.Tests.Json;

/// <summary>What an older side doesn't send, and what a person leaves out of a model.json, keeps its default.</summary>
public sealed class DefaultsTests
{
    [Fact]
    public void RenderSpec_SilentJson_KeepsDefaults()
    {
        const string Json = """
            {"model":"tiny","prompt":"a ball","width":64,"height":48,"frames":5,"fps":8,"steps":2,"guidance_scale":3,"shift":3,"seed":7}
            """;

        var spec = JsonSerializer.Deserialize(Json, ContractsJson.Default.RenderSpec)!;

        Assert.Equal(("unipc", ""), (spec.Sampler, spec.NegativePrompt));
        Assert.Empty(spec.Loras);
    }

    [Fact]
    public void ModelShape_SilentJson_KeepsDefaults()
    {
        const string Json = """
            {"id":"x","transformer":{"dim":1,"ffn_dim":1,"heads":1,"layers":1,"in_channels":1,"out_channels":1},
             "text_encoder":{"vocabulary":1,"dim":1,"attention_dim":1,"ffn_dim":1,"heads":1,"layers":1},
             "vae":{"kind":"wan21","dim":1,"decoder_dim":1,"latent_channels":1,"latent_mean":[0],"latent_std":[1]},
             "defaults":{"width":1,"height":1,"frames":1,"fps":1,"steps":1,"guidance_scale":1,"shift":1,"max_area":1}}
            """;

        var shape = JsonSerializer.Deserialize(Json, ContractsJson.Default.ModelShape)!;

        Assert.Equal((4096, 512, 1e-6), (shape.Transformer.TextDim, shape.Transformer.TextLength, shape.Transformer.Epsilon));
        Assert.Equal((32, 1, 16), (shape.TextEncoder.Buckets, shape.Experts, shape.Defaults.SizeMultiple));
        Assert.Equal([1, 2, 4, 4], shape.Vae.DimMultipliers);
        Assert.Equal([false, true, true], shape.Vae.TemporalDownsample);
    }
}
