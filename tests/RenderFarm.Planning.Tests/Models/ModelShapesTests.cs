using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;

namespace RenderFarm.Planning.Tests.Models;

public sealed class ModelShapesTests
{
    public static TheoryData<string> Ids => [.. ModelShapes.All.Select(shape => shape.Id)];

    [Fact]
    public void All_Ids_AreUniqueAndFitRoutingKeys()
    {
        Assert.Equal(ModelShapes.All.Count, ModelShapes.All.Select(shape => shape.Id).Distinct().Count());
        Assert.All(ModelShapes.All, shape => Assert.Matches("^[a-z0-9-]+$", shape.Id));
    }

    [Theory, MemberData(nameof(Ids))]
    public void Get_EveryPreset_IsConsistent(string id)
    {
        var shape = ModelShapes.Get(id);
        var (transformer, vae, defaults) = (shape.Transformer, shape.Vae, shape.Defaults);
        Assert.Equal(0, transformer.Dim % transformer.Heads);
        Assert.Equal(0, transformer.HeadDim % 2);
        Assert.Equal(0, shape.TextEncoder.AttentionDim % shape.TextEncoder.Heads);
        Assert.Equal(transformer.TextDim, shape.TextEncoder.Dim);
        Assert.Equal(vae.LatentChannels, transformer.OutChannels);
        Assert.Contains(transformer.InChannels, new[] { vae.LatentChannels, (2 * vae.LatentChannels) + 4 });
        Assert.Equal(vae.LatentChannels, vae.LatentMean.Count);
        Assert.Equal(vae.LatentChannels, vae.LatentStd.Count);
        Assert.All(vae.LatentStd, std => Assert.True(std > 0));
        Assert.Equal(2 * vae.SpatialStride, defaults.SizeMultiple);
        Assert.Equal(0, defaults.Width % defaults.SizeMultiple);
        Assert.Equal(0, defaults.Height % defaults.SizeMultiple);
        Assert.Equal(1, defaults.Frames % 4);
        Assert.True(defaults.Width * defaults.Height <= defaults.MaxArea);
        Assert.Equal(shape.Experts == 2, shape.Boundary is not null);
        Assert.Equal(transformer.ImageBranch != ImageBranch.None, shape.ImageEncoder is not null);
    }

    [Theory]
    [InlineData("t2v-14b", 832, 480, 33, 14_040)]
    [InlineData("t2v-14b", 832, 480, 81, 32_760)]
    [InlineData("t2v-14b", 1280, 720, 81, 75_600)]
    [InlineData("t2v-14b", 1280, 720, 1, 3_600)]
    [InlineData("ti2v-5b", 1280, 704, 121, 27_280)]
    [InlineData("ti2v-5b", 832, 480, 121, 12_090)]
    public void Tokens_PublishedSizes_MatchTheTable(string id, int width, int height, int frames, int expected) =>
        Assert.Equal(expected, new VideoGeometry(ModelShapes.Get(id).Vae, width, height, frames).Tokens);

    [Fact]
    public void Get_UnknownId_NamesThePresets()
    {
        var error = Assert.Throws<ArgumentException>(() => ModelShapes.Get("t2v-15b"));
        Assert.Contains("t2v-15b", error.Message, StringComparison.Ordinal);
        Assert.Contains("t2v-14b", error.Message, StringComparison.Ordinal);
        Assert.Null(ModelShapes.Find("t2v-15b"));
    }
}
