using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Checkpoints.Layouts;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;
using VaeLayout = RenderFarm.Wan.Checkpoints.Layouts.VaeLayout;

namespace RenderFarm.Wan.Tests.Checkpoints;

/// <summary>Layouts are written down apart from the modules, so that files can be judged without libtorch; both must agree.</summary>
public sealed class LayoutTests
{
    public static TheoryData<string> Presets => [.. ModelShapes.All.Select(shape => shape.Id)];

    [Theory]
    [MemberData(nameof(Presets))]
    public void Transformer_Preset_IsWhatTheModuleAsksFor(string id)
    {
        var shape = ModelShapes.Get(id).Transformer;
        Equal(WeightListing.Of(w => new WanModel(w, shape)), TransformerLayout.Of(shape));
    }

    [Theory]
    [MemberData(nameof(Presets))]
    public void Vae_Preset_IsWhatTheModuleAsksFor(string id)
    {
        var shape = ModelShapes.Get(id).Vae;
        Equal(WeightListing.Of(w => new WanVae(w, shape)), VaeLayout.Of(shape));
    }

    [Fact]
    public void TextEncoder_Xxl_IsWhatTheModuleAsksFor()
    {
        var layout = TextEncoderLayout.Of(ModelShapes.Umt5Xxl);

        Equal(WeightListing.Of(w => new Umt5Encoder(w, ModelShapes.Umt5Xxl)), layout);
        Assert.Equal((242, 5_680_910_336), (layout.Count, layout.Sum(t => t.Elements)));
    }

    [Fact]
    public void ImageEncoder_ClipVitHuge_HasThePublishedTensors()
    {
        var layout = ImageEncoderLayout.Of(ModelShapes.ClipVitHuge);

        Assert.Equal((392, 632_076_800), (layout.Count, layout.Sum(t => t.Elements)));
    }

    private static void Equal(IReadOnlyList<TensorEntry> asked, IReadOnlyList<ExpectedTensor> written)
    {
        static string Text(string name, IEnumerable<long> shape) => $"{name} [{string.Join(", ", shape)}]";
        Assert.Equal(
            asked.Select(t => Text(t.Name, t.Shape)).Distinct().Order(StringComparer.Ordinal),
            written.Select(t => Text(t.Name, t.Shape)).Order(StringComparer.Ordinal));
    }
}
