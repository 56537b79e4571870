using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Checkpoints;

/// <summary>
/// Checkpoints in other people's layouts, read as if they had the original one. The mappings are written from the original side.
/// </summary>
public sealed class OriginalSourceTests
{
    private static readonly ModelShape Small = TinyShapes.ImageToVideo;

    [Theory]
    [InlineData("")]
    [InlineData("model.")]
    [InlineData("vae.")]
    public void Of_DiffusersVae21_HasEveryTensor(string prefix) =>
        AssertWhole(CheckpointKind.Vae, Layouts.Vae(Small.Vae), name => prefix + DiffusersVae21(name));

    [Fact]
    public void Of_DiffusersVae22_HasEveryTensor() =>
        AssertWhole(CheckpointKind.Vae, Layouts.Vae(TinyShapes.TextOrImage.Vae), DiffusersVae22);

    [Theory]
    [InlineData("")]
    [InlineData("text_encoders.umt5xxl.transformer.")]
    public void Of_TransformersTextEncoder_HasEveryTensor(string prefix) =>
        AssertWhole(CheckpointKind.TextEncoder, Layouts.TextEncoder(Small.TextEncoder), name => prefix + TransformersUmt5(name));

    [Theory]
    [InlineData("model.diffusion_model.")]
    [InlineData("diffusion_model.")]
    [InlineData("model.")]
    [InlineData("")]
    public void Of_PrefixedTransformer_HasEveryTensor(string prefix) =>
        AssertWhole(CheckpointKind.Transformer, Layouts.Transformer(Small.Transformer), name => prefix + name);

    [Fact]
    public void Of_TransformersImageEncoder_JoinsProjectionsAndGivesTokensTheirDimensions()
    {
        using var scope = NewDisposeScope();
        var expected = Layouts.ImageEncoder(Small.ImageEncoder!);
        var values = expected.ToDictionary(t => t.Name, t => randn([.. t.Shape], dtype: ScalarType.Float32));
        using var source = OriginalSource.Of(new MemorySource(values.SelectMany(TransformersClip)), CheckpointKind.ImageEncoder);

        Assert.Equal(expected.Select(t => t.Name).Order(StringComparer.Ordinal), source.Entries.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, value) in values)
        {
            using var loaded = source.Load(name);
            Assert.True(loaded.equal(value).all().item<bool>(), name);
            Assert.Equal(value.shape, source.Entries[name].Shape);
        }
    }

    [Fact]
    public void Of_FileOfSeveralKinds_GivesTheOneThatIsWanted()
    {
        var everything = Layouts
            .Transformer(Small.Transformer)
            .Select(t => Entry("model.diffusion_model." + t.Name, t.Shape))
            .Concat(Layouts.Vae(Small.Vae).Select(t => Entry("vae." + t.Name, t.Shape)))
            .Concat(
                Layouts
                    .TextEncoder(Small.TextEncoder)
                    .Select(t => Entry("text_encoders.umt5xxl.transformer." + TransformersUmt5(t.Name), t.Shape))
            )
            .ToList();

        Assert.Equal(
            [CheckpointKind.Transformer, CheckpointKind.TextEncoder, CheckpointKind.Vae],
            CheckpointRecognition.DescribeAll(new Headers(everything)).Select(found => found.Kind)
        );
        using var vae = OriginalSource.Of(new Headers(everything), CheckpointKind.Vae);
        Assert.Equal(Layouts.Vae(Small.Vae).Count, vae.Entries.Count);
    }

    [Fact]
    public void Of_ThingsBesideTheModel_AreLeftOut()
    {
        var entries = Layouts
            .TextEncoder(Small.TextEncoder)
            .Select(t => Entry(TransformersUmt5(t.Name), t.Shape))
            .Append(Entry("encoder.embed_tokens.weight", [Small.TextEncoder.Vocabulary, Small.TextEncoder.Dim])) // The table a second time
            .Append(Entry("spiece_model", [100]))
            .Append(Entry("scaled_fp8", [0]))
            .Append(Entry("encoder.block.0.layer.0.SelfAttention.q.comfy_quant", [30]))
            .ToList();

        using var source = OriginalSource.Of(new Headers(entries), CheckpointKind.TextEncoder);

        Assert.Equal(
            Layouts.TextEncoder(Small.TextEncoder).Select(t => t.Name).Order(StringComparer.Ordinal),
            source.Entries.Keys.Order(StringComparer.Ordinal)
        );
    }

    [Theory]
    [InlineData("vace_blocks.0.before_proj.weight", "VACE")]
    [InlineData("blocks.0.ffn.0.weight_scale_2", "nvfp4")]
    public void Of_WhatIsNotRendered_IsRefusedByName(string key, string name)
    {
        var entries = Layouts.Transformer(Small.Transformer).Select(t => Entry(t.Name, t.Shape)).Append(Entry(key, [1]));

        var refusal = Assert.Throws<CheckpointException>(() => OriginalSource.Of(new Headers(entries), CheckpointKind.Transformer));

        Assert.Contains(name, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(key, refusal.Field);
    }

    [Fact]
    public void Of_AnotherKind_SaysWhatTheFileIs() =>
        Assert.Contains(
            "Wan VAE 2.1",
            Assert
                .Throws<CheckpointException>(() =>
                    OriginalSource.Of(new Headers(Layouts.Vae(Small.Vae).Select(t => Entry(t.Name, t.Shape))), CheckpointKind.Transformer)
                )
                .Message,
            StringComparison.Ordinal
        );

    private static void AssertWhole(CheckpointKind kind, IReadOnlyList<ExpectedTensor> expected, Func<string, string> theirs)
    {
        using var headers = new Headers(expected.Select(t => Entry(theirs(t.Name), t.Shape)));
        Assert.True(headers.Entries.Count == expected.Count, "the test's own mapping makes two tensors one");
        var description = CheckpointRecognition.Describe(headers);
        Assert.Equal((kind, 0), (description.Kind, description.Missing.Count));

        using var source = OriginalSource.Of(headers, kind);
        Assert.Equal(expected.Select(t => t.Name).Order(StringComparer.Ordinal), source.Entries.Keys.Order(StringComparer.Ordinal));
        foreach (var tensor in expected)
        {
            Assert.Equal(tensor.Shape, source.Entries[tensor.Name].Shape);
        }
    }

    private static TensorEntry Entry(string name, IReadOnlyList<long> shape) => new(name, ElementType.Of(ScalarType.BFloat16), shape);

    private static string Each(string key, params (string From, string To)[] replacements) =>
        replacements.Aggregate(key, (current, r) => current.Replace(r.From, r.To, StringComparison.Ordinal));

    private static string Residual(string key) =>
        Each(
            key,
            (".residual.0.", ".norm1."), (".residual.2.", ".conv1."), (".residual.3.", ".norm2."),
            (".residual.6.", ".conv2."), (".shortcut.", ".conv_shortcut."), (".middle.0.", ".mid_block.resnets.0."),
            (".middle.1.", ".mid_block.attentions.0."), (".middle.2.", ".mid_block.resnets.1."),
            (".head.0.", ".norm_out."),
            (".head.2.", ".conv_out.")
        );

    private static string Ends(string key) =>
        key.StartsWith("conv1.", StringComparison.Ordinal) ? "quant_" + key.Replace("conv1", "conv", StringComparison.Ordinal)
        : key.StartsWith("conv2.", StringComparison.Ordinal) ? "post_quant_" + key.Replace("conv2", "conv", StringComparison.Ordinal)
        : Each(key, ("encoder.conv1.", "encoder.conv_in."), ("decoder.conv1.", "decoder.conv_in."));

    private static string DiffusersVae21(string key)
    {
        key = Residual(Ends(key)).Replace("encoder.downsamples.", "encoder.down_blocks.", StringComparison.Ordinal);
        for (var group = 0; group < 4; group++)
        {
            for (var within = 0; within < 4; within++)
            {
                key = key.Replace(
                    $"decoder.upsamples.{(group * 4) + within}.",
                    within < 3 ? $"decoder.up_blocks.{group}.resnets.{within}." : $"decoder.up_blocks.{group}.upsamplers.0.",
                    StringComparison.Ordinal
                );
            }
        }

        return key;
    }

    private static string DiffusersVae22(string key)
    {
        key = Residual(Ends(key));
        for (var level = 0; level < 4; level++)
        {
            for (var within = 0; within < 4; within++)
            {
                key = key.Replace(
                    $"encoder.downsamples.{level}.downsamples.{within}.",
                    within < 2 ? $"encoder.down_blocks.{level}.resnets.{within}." : $"encoder.down_blocks.{level}.downsampler.",
                    StringComparison.Ordinal
                );
                key = key.Replace(
                    $"decoder.upsamples.{level}.upsamples.{within}.",
                    within < 3 ? $"decoder.up_blocks.{level}.resnets.{within}." : $"decoder.up_blocks.{level}.upsampler.",
                    StringComparison.Ordinal
                );
            }
        }

        return key;
    }

    private static string TransformersUmt5(string key) =>
        key switch
        {
            "token_embedding.weight" => "shared.weight",
            "norm.weight" => "encoder.final_layer_norm.weight",
            _ => Each(
                key,
                ("blocks.", "encoder.block."),
                (".norm1.", ".layer.0.layer_norm."),
                (".norm2.", ".layer.1.layer_norm."),
                (".attn.", ".layer.0.SelfAttention."),
                (".pos_embedding.embedding.", ".layer.0.SelfAttention.relative_attention_bias."),
                (".ffn.gate.0.", ".layer.1.DenseReluDense.wi_0."),
                (".ffn.fc1.", ".layer.1.DenseReluDense.wi_1."),
                (".ffn.fc2.", ".layer.1.DenseReluDense.wo.")
            ),
        };

    private static IEnumerable<KeyValuePair<string, Tensor>> TransformersClip(KeyValuePair<string, Tensor> tensor)
    {
        var key =
            "vision_model."
            + Each(
                tensor.Key,
                ("visual.", ""),
                ("transformer.", "encoder.layers."),
                ("patch_embedding", "embeddings.patch_embedding"),
                ("cls_embedding", "embeddings.class_embedding"),
                ("pos_embedding", "embeddings.position_embedding.weight"),
                ("pre_norm", "pre_layrnorm"), (".norm1.", ".layer_norm1."), (".norm2.", ".layer_norm2."),
                (".attn.proj.", ".self_attn.out_proj."), (".mlp.0.", ".mlp.fc1."),
                (".mlp.2.", ".mlp.fc2.")
            );
        if (tensor.Key.EndsWith("cls_embedding", StringComparison.Ordinal))
        {
            return [new(key, tensor.Value.flatten())];
        }

        if (tensor.Key.EndsWith("pos_embedding", StringComparison.Ordinal))
        {
            return [new(key, tensor.Value.squeeze(0))];
        }

        if (!key.Contains(".attn.to_qkv.", StringComparison.Ordinal))
        {
            return [new(key, tensor.Value)];
        }

        var parts = tensor.Value.chunk(3, 0);
        return "qkv".Select(
            (letter, i) =>
                KeyValuePair.Create(key.Replace(".attn.to_qkv.", $".self_attn.{letter}_proj.", StringComparison.Ordinal), parts[i])
        );
    }

    private sealed class Headers(IEnumerable<TensorEntry> entries) : ITensorSource
    {
        public string Name => "headers";
        public IReadOnlyDictionary<string, TensorEntry> Entries { get; } = entries.DistinctBy(e => e.Name).ToDictionary(e => e.Name);

        public Tensor Load(string name) => throw new InvalidOperationException("headers hold no data");

        public void Dispose() { }
    }
}
