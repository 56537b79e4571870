using RenderFarm.Inference.Layers;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;

namespace RenderFarm.Wan.Tests;

/// <summary>Tensor and parameter counts of the published checkpoints; no weights needed.</summary>
public sealed class PublishedSizesTests
{
    [Theory]
    [InlineData("t2v-1-3b", 825, 1_418_996_800)]
    [InlineData("t2v-14b", 1095, 14_288_491_584)]
    [InlineData("i2v-14b-480p", 1303, 16_394_878_784)]
    [InlineData("flf2v-14b", 1304, 16_395_536_704)]
    [InlineData("i2v-a14b", 1095, 14_288_901_184)]
    [InlineData("ti2v-5b", 825, 4_999_787_712)]
    public void Transformer_Preset_HasThePublishedTensors(string id, int tensors, long parameters)
    {
        var entries = WeightListing.Of(weights => new WanModel(weights, ModelShapes.Get(id).Transformer));

        Assert.Equal(tensors, entries.Count);
        Assert.Equal(tensors, entries.DistinctBy(entry => entry.Name).Count());
        Assert.Equal(parameters, entries.Sum(entry => entry.Elements));
    }

    [Theory]
    [InlineData("t2v-14b", 194, 126_892_531)]
    [InlineData("ti2v-5b", 196, 704_688_668)]
    public void Vae_Preset_HasThePublishedTensors(string id, int tensors, long parameters)
    {
        var entries = WeightListing.Of(weights => new WanVae(weights, ModelShapes.Get(id).Vae));

        Assert.Equal(tensors, entries.DistinctBy(entry => entry.Name).Count());
        Assert.Equal(parameters, entries.Sum(entry => entry.Elements));
    }

    [Theory]
    [InlineData("blocks.39.cross_attn.norm_k.weight F32 [5120]")]
    [InlineData("blocks.0.norm3.bias F32 [5120]")]
    [InlineData("blocks.0.ffn.2.weight BF16 [5120, 13824]")]
    [InlineData("time_projection.1.weight F32 [30720, 5120]")]
    [InlineData("patch_embedding.weight F32 [5120, 16, 1, 2, 2]")]
    [InlineData("head.modulation F32 [1, 2, 5120]")]
    public void Transformer_Preset_HasTheNamesOfTheCheckpointsAndItsExactPartsInFloat32(string entry) =>
        Assert.Contains(
            entry,
            WeightListing.Of(weights => new WanModel(weights, ModelShapes.T2v14B.Transformer)).Select(e => e.ToString())
        );
}
