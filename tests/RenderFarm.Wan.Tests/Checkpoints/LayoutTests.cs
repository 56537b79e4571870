using RenderFarm.Planning.Models;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Wan.Tests.Checkpoints;

/// <summary>The published tensors, counted.</summary>
public sealed class LayoutTests
{
    [Fact]
    public void TextEncoder_Xxl_HasThePublishedTensors()
    {
        var layout = Layouts.TextEncoder(ModelShapes.Umt5Xxl);

        Assert.Equal((242, 5_680_910_336), (layout.Count, layout.Sum(t => t.Elements)));
    }

    [Fact]
    public void ImageEncoder_ClipVitHuge_HasThePublishedTensors()
    {
        var layout = Layouts.PublishedImageEncoder(ModelShapes.ClipVitHuge);

        Assert.Equal((392, 632_076_800), (layout.Count, layout.Sum(t => t.Elements)));
    }

    [Fact]
    public void Transformer_AnyPreset_NamesEveryTensorOnce()
    {
        foreach (var shape in ModelShapes.All)
        {
            var layout = Layouts.Transformer(shape.Transformer);
            Assert.Equal(layout.Count, layout.DistinctBy(t => t.Name).Count());
        }
    }
}
