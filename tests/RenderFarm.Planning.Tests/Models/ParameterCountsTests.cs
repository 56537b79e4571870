using RenderFarm.Planning.Models;

namespace RenderFarm.Planning.Tests.Models;

/// <summary>Counts of the published checkpoints.</summary>
public sealed class ParameterCountsTests
{
    [Theory]
    [InlineData("t2v-1-3b", 1_418_996_800)]
    [InlineData("t2v-14b", 14_288_491_584)]
    [InlineData("i2v-14b-480p", 16_394_878_784)]
    [InlineData("i2v-14b-720p", 16_394_878_784)]
    [InlineData("flf2v-14b", 16_395_536_704)]
    [InlineData("t2v-a14b", 14_288_491_584)]
    [InlineData("i2v-a14b", 14_288_901_184)]
    [InlineData("ti2v-5b", 4_999_787_712)]
    public void Transformer_PublishedModel_CountsItsParameters(string id, long expected) =>
        Assert.Equal(expected, ParameterCounts.Transformer(ModelShapes.Get(id).Transformer));

    [Theory]
    [InlineData("t2v-1-3b", 46_440_704)]
    [InlineData("t2v-14b", 351_394_304)]
    [InlineData("i2v-14b-480p", 403_838_464)]
    [InlineData("ti2v-5b", 163_656_704)]
    public void Block_PublishedModel_CountsItsParameters(string id, long expected) =>
        Assert.Equal(expected, ParameterCounts.Block(ModelShapes.Get(id).Transformer));

    [Fact]
    public void TextEncoder_Umt5Xxl_CountsItsParameters() => Assert.Equal(5_680_910_336, ParameterCounts.TextEncoder(ModelShapes.Umt5Xxl));

    [Fact]
    public void ImageEncoder_ClipVitHuge_CountsItsParameters() =>
        Assert.Equal(632_076_800, ParameterCounts.ImageEncoder(ModelShapes.ClipVitHuge));

    [Fact]
    public void Vae_BothKinds_CountTheirParameters()
    {
        Assert.Equal(126_892_531, ParameterCounts.Vae(ModelShapes.Vae21));
        Assert.Equal(704_688_668, ParameterCounts.Vae(ModelShapes.Vae22));
    }

    [Fact]
    public void DecoderCache_PublishedSizes_MatchesTheKnownSums()
    {
        // 2.18 G values at 1280x720 (VAE 2.1), 1.61 G at 1280x704 (VAE 2.2)
        Assert.Equal(2.18e9, VaeLayout.CacheElements(VaeLayout.Decoder(ModelShapes.Vae21), 90, 160), 0.01e9);
        Assert.Equal(1.61e9, VaeLayout.CacheElements(VaeLayout.Decoder(ModelShapes.Vae22), 44, 80), 0.01e9);
    }
}
