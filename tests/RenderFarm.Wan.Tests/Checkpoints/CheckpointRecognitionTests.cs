using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Checkpoints;

/// <summary>Recognition from keys and shapes alone: no data, so the real sizes cost nothing.</summary>
public sealed class CheckpointRecognitionTests
{
    [Theory]
    [InlineData("t2v-1-3b", "t2v-1-3b")]
    [InlineData("t2v-14b", "t2v-14b,t2v-a14b")]
    [InlineData("i2v-14b-480p", "i2v-14b-480p,i2v-14b-720p")]
    [InlineData("flf2v-14b", "flf2v-14b")]
    [InlineData("i2v-a14b", "i2v-a14b")]
    [InlineData("ti2v-5b", "ti2v-5b")]
    public void Describe_Transformer_NamesTheModelsOfItsSizes(string id, string models)
    {
        var found = Describe(Layouts.Transformer(ModelShapes.Get(id).Transformer));

        Assert.Equal(CheckpointKind.Transformer, found.Kind);
        Assert.Equal(models, string.Join(",", found.Models));
        Assert.Equal("none", found.Quantization);
        Assert.True(found.Usable);
    }

    [Fact]
    public void Describe_PrefixOfSingleFileCheckpoints_IsStripped()
    {
        var found = Describe(Layouts.Transformer(ModelShapes.T2v1Point3B.Transformer), name => "model.diffusion_model." + name);

        Assert.Equal(("model.diffusion_model.", "original"), (found.Prefix, found.Layout));
        Assert.Equal(["t2v-1-3b"], found.Models);
    }

    [Fact]
    public void Describe_DiffusersLayout_IsSaidAndRecognised()
    {
        var found = Describe(Layouts.Transformer(ModelShapes.T2v1Point3B.Transformer), Diffusers);

        Assert.Equal("diffusers", found.Layout);
        Assert.Equal(["t2v-1-3b"], found.Models);
        Assert.Empty(found.Missing);
    }

    [Theory]
    [InlineData("t2v-14b", VaeKind.Wan21)]
    [InlineData("ti2v-5b", VaeKind.Wan22)]
    [InlineData("demo", VaeKind.Wan22)] // Half as many blocks a stage
    public void Describe_Vae_TellsTheVersions(string id, VaeKind kind)
    {
        var found = Describe(Layouts.Vae(ModelShapes.Get(id).Vae));

        Assert.Equal(CheckpointKind.Vae, found.Kind);
        Assert.Contains(id, found.Models);
        Assert.Contains(kind == VaeKind.Wan21 ? "2.1" : "2.2", found.What, StringComparison.Ordinal);
        Assert.Empty(found.Missing);
        Assert.True(found.Usable);
    }

    [Theory]
    [InlineData("encoder.downsamples.0.downsamples.1.")]
    [InlineData("decoder.upsamples.0.upsamples.2.residual.")]
    public void Describe_VaeWithoutABlock_NamesItsTensors(string block)
    {
        var found = Describe(Layouts.Vae(ModelShapes.Vae22).Where(t => !t.Name.StartsWith(block, StringComparison.Ordinal)));

        Assert.NotEmpty(found.Missing);
        Assert.All(found.Missing, name => Assert.StartsWith(block, name, StringComparison.Ordinal));
    }

    [Fact]
    public void Describe_TextAndImageEncoder_AreRecognised()
    {
        Assert.Equal(CheckpointKind.TextEncoder, Describe(Layouts.TextEncoder(ModelShapes.Umt5Xxl)).Kind);
        Assert.Equal(CheckpointKind.ImageEncoder, Describe(Layouts.ImageEncoder(ModelShapes.ClipVitHuge)).Kind);
    }

    [Fact]
    public void Describe_MissingBlockTensor_IsNamed()
    {
        var found = Describe(Layouts.Transformer(ModelShapes.Tiny.Transformer).Where(t => t.Name != "blocks.1.norm3.bias"));

        Assert.Equal(["blocks.1.norm3.bias"], found.Missing);
        Assert.False(found.Usable);
    }

    [Theory]
    [InlineData("blocks.0.ffn.0.scale_weight", 1, "fp8_scaled")]
    [InlineData("blocks.0.ffn.0.weight_scale", 1, "per layer")]
    [InlineData("blocks.0.ffn.0.weight_scale", 128, "per output channel")]
    public void Describe_ScaledEightBit_IsNotTakenForPlain(string key, int elements, string expected)
    {
        var entries = Layouts
            .Transformer(ModelShapes.Tiny.Transformer)
            .Select(t => new TensorEntry(
                t.Name,
                t.Name == "blocks.0.ffn.0.weight" ? ElementType.Of(ElementType.Float8E4M3) : Bf16,
                t.Shape
            ))
            .Append(new TensorEntry(key, ElementType.Of(ScalarType.Float32), [elements]));

        Assert.Contains(expected, Describe(entries).Quantization, StringComparison.Ordinal);
    }

    [Fact]
    public void Describe_Foreign_SaysWhatItSeemsAndWhatAWanModelWouldHave()
    {
        var found = Describe([new TensorEntry("double_blocks.0.img_attn.qkv.weight", Bf16, [9, 3])]);

        Assert.Equal(CheckpointKind.Unknown, found.Kind);
        Assert.Contains("double_blocks", found.What, StringComparison.Ordinal);
        Assert.Contains("head.modulation", found.Missing);
        Assert.False(found.Usable);
    }

    [Fact]
    public void Describe_Relative_IsRejectedByName()
    {
        var tensors = Layouts
            .Transformer(ModelShapes.T2v14B.Transformer)
            .Append(new ExpectedTensor("vace_patch_embedding.weight", [5120, 96, 1, 2, 2]));

        var found = Describe(tensors);

        Assert.Contains("VACE", found.What, StringComparison.Ordinal);
        Assert.False(found.Usable);
    }

    private static ElementType Bf16 { get; } = ElementType.Of(ScalarType.BFloat16);

    private static CheckpointDescription Describe(IEnumerable<ExpectedTensor> tensors, Func<string, string>? name = null) =>
        Describe(tensors.Select(t => new TensorEntry(name?.Invoke(t.Name) ?? t.Name, Bf16, t.Shape)));

    private static CheckpointDescription Describe(IEnumerable<TensorEntry> entries)
    {
        using var source = new Header(entries.ToDictionary(e => e.Name));
        return CheckpointRecognition.Describe(source);
    }

    /// <summary>The published mapping, written from the original side.</summary>
    private static string Diffusers(string key) =>
        key.Replace("text_embedding.0", "condition_embedder.text_embedder.linear_1", StringComparison.Ordinal)
            .Replace("text_embedding.2", "condition_embedder.text_embedder.linear_2", StringComparison.Ordinal)
            .Replace("time_embedding.0", "condition_embedder.time_embedder.linear_1", StringComparison.Ordinal)
            .Replace("time_embedding.2", "condition_embedder.time_embedder.linear_2", StringComparison.Ordinal)
            .Replace("time_projection.1", "condition_embedder.time_proj", StringComparison.Ordinal)
            .Replace("head.modulation", "scale_shift_table", StringComparison.Ordinal)
            .Replace("head.head", "proj_out", StringComparison.Ordinal)
            .Replace(".modulation", ".scale_shift_table", StringComparison.Ordinal)
            .Replace("self_attn.o", "attn1.to_out.0", StringComparison.Ordinal)
            .Replace("cross_attn.o", "attn2.to_out.0", StringComparison.Ordinal)
            .Replace("self_attn.norm_", "attn1.norm_", StringComparison.Ordinal)
            .Replace("cross_attn.norm_", "attn2.norm_", StringComparison.Ordinal)
            .Replace("self_attn.", key.Contains("norm_", StringComparison.Ordinal) ? "self_attn." : "attn1.to_", StringComparison.Ordinal)
            .Replace("cross_attn.", key.Contains("norm_", StringComparison.Ordinal) ? "cross_attn." : "attn2.to_", StringComparison.Ordinal)
            .Replace("norm3", "norm2", StringComparison.Ordinal)
            .Replace("ffn.0", "ffn.net.0.proj", StringComparison.Ordinal)
            .Replace("ffn.2", "ffn.net.2", StringComparison.Ordinal);

    private sealed class Header(IReadOnlyDictionary<string, TensorEntry> entries) : ITensorSource
    {
        public string Name => "header";
        public IReadOnlyDictionary<string, TensorEntry> Entries => entries;

        public Tensor Load(string name) => throw new InvalidOperationException("recognition must not read data");

        public Tensor LoadRows(string name, IReadOnlyList<long> rows) =>
            throw new InvalidOperationException("recognition must not read data");

        public void Dispose() { }
    }
}
