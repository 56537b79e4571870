using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Wan.Loras;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Loras;

/// <summary>Every way that LoRA files name things, and what is refused.</summary>
public sealed class LoraSetTests
{
    private const string Target = "blocks.1.self_attn.q.weight";

    [Theory]
    [InlineData("diffusion_model.blocks.1.self_attn.q.lora_A.weight", "diffusion_model.blocks.1.self_attn.q.lora_B.weight")]
    [InlineData("diffusion_model.blocks.1.self_attn.q.lora_A.default.weight", "diffusion_model.blocks.1.self_attn.q.lora_B.default.weight")]
    [InlineData("diffusion_model.blocks.1.self_attn.q.lora_A.film-2.weight", "diffusion_model.blocks.1.self_attn.q.lora_B.film-2.weight")]
    [InlineData("diffusion_model.blocks.1.self_attn.q.lora_A", "diffusion_model.blocks.1.self_attn.q.lora_B")]
    [InlineData("blocks.1.self_attn.q.lora_linear_layer.down.weight", "blocks.1.self_attn.q.lora_linear_layer.up.weight")]
    [InlineData("diffusion_model.blocks.1.self_attn.q.lora_down.weight", "diffusion_model.blocks.1.self_attn.q.lora_up.weight")]
    [InlineData("model.diffusion_model.blocks.1.self_attn.q.lora_A.weight", "model.diffusion_model.blocks.1.self_attn.q.lora_B.weight")]
    [InlineData("blocks.1.self_attn.q.lora_A.weight", "blocks.1.self_attn.q.lora_B.weight")]
    [InlineData("lora_unet_blocks_1_self_attn_q.lora_down.weight", "lora_unet_blocks_1_self_attn_q.lora_up.weight")]
    [InlineData("lora_unet__blocks_1_self_attn_q.lora_down.weight", "lora_unet__blocks_1_self_attn_q.lora_up.weight")]
    [InlineData("lycoris_blocks_1_self_attn_q.lora_down.weight", "lycoris_blocks_1_self_attn_q.lora_up.weight")]
    [InlineData("transformer.blocks.1.attn1.to_q.lora_A.weight", "transformer.blocks.1.attn1.to_q.lora_B.weight")]
    [InlineData("transformer_2.blocks.1.attn1.to_q.lora_A.weight", "transformer_2.blocks.1.attn1.to_q.lora_B.weight")]
    [InlineData("base_model.model.blocks.1.self_attn.q.lora_A.weight", "base_model.model.blocks.1.self_attn.q.lora_B.weight")]
    [InlineData("pipe.dit.blocks.1.self_attn.q.lora_A.weight", "pipe.dit.blocks.1.self_attn.q.lora_B.weight")]
    public void Resolve_EveryNaming_FindsTheSameWeight(string down, string up)
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(0.5, (down, ones(4, 64)), (up, ones(64, 4)));

        var change = Assert.Single(set.Changes);
        Assert.Equal(Target, change.Key);
        Assert.Equal(0.5, Scale(Assert.Single(change.Value))); // No alpha: the rank does not count
        Assert.Empty(set.Notes);
    }

    [Theory]
    [InlineData("transformer.blocks.0.attn2.to_out.0", "blocks.0.cross_attn.o.weight", 64, 64)]
    [InlineData("transformer.blocks.0.ffn.net.0.proj", "blocks.0.ffn.0.weight", 128, 64)]
    [InlineData("lora_unet_blocks_0_ffn_2", "blocks.0.ffn.2.weight", 64, 128)]
    [InlineData("diffusion_model.head.head", "head.head.weight", 64, 64)]
    [InlineData("diffusion_model.time_projection.1", "time_projection.1.weight", 384, 64)]
    [InlineData("transformer.condition_embedder.text_embedder.linear_1", "text_embedding.0.weight", 64, 32)]
    public void Resolve_OtherModules_AreFoundToo(string module, string target, int outFeatures, int inFeatures)
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(1, ($"{module}.lora_down.weight", ones(2, inFeatures)), ($"{module}.lora_up.weight", ones(outFeatures, 2)));

        Assert.Equal([target], set.Changes.Keys);
    }

    [Fact]
    public void Resolve_Alpha_CountsOverTheRank()
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(
            2,
            ("blocks.1.self_attn.q.lora_down.weight", ones(8, 64)),
            ("blocks.1.self_attn.q.lora_up.weight", ones(64, 8)),
            ("blocks.1.self_attn.q.alpha", tensor(1.0f))
        );

        Assert.Equal(2 * 1 / 8.0, Scale(set.Changes[Target][0]));
    }

    [Fact]
    public void Resolve_Differences_GoToWeightBiasNormAndModulation()
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(
            1,
            ("diffusion_model.blocks.0.norm3.diff", ones(64)),
            ("diffusion_model.blocks.0.norm3.diff_b", ones(64)),
            ("diffusion_model.blocks.0.ffn.0.diff_b", ones(128)),
            ("diffusion_model.blocks.0.diff_m", ones(1, 6, 64)),
            ("diffusion_model.head.modulation.diff", ones(1, 2, 64))
        );

        Assert.Equal(
            ["blocks.0.ffn.0.bias", "blocks.0.modulation", "blocks.0.norm3.bias", "blocks.0.norm3.weight", "head.modulation"],
            set.Changes.Keys.Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Resolve_KeysOfAnImageBranchOnATextModel_AreReportedAndTheRestApplies()
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(
            1,
            ("blocks.1.self_attn.q.lora_A.weight", ones(4, 64)),
            ("blocks.1.self_attn.q.lora_B.weight", ones(64, 4)),
            ("blocks.1.cross_attn.k_img.lora_A.weight", ones(4, 64)),
            ("blocks.1.cross_attn.k_img.lora_B.weight", ones(64, 4))
        );

        Assert.Equal([Target], set.Changes.Keys);
        Assert.Contains("k_img", Assert.Single(set.Notes), StringComparison.Ordinal);
        Assert.Contains("test-lora", set.Notes[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("blocks.1.self_attn.q", 1536, 1536, "another architecture")] // Wider
    [InlineData("double_blocks.1.img_attn.qkv", 64, 64, "another architecture")] // Of another family
    public void Resolve_OtherArchitecture_IsRefusedByName(string module, int outFeatures, int inFeatures, string reason)
    {
        using var scope = NewDisposeScope();

        var refusal = Assert.Throws<CheckpointException>(() =>
            Resolve(1, ($"{module}.lora_A.weight", ones(4, inFeatures)), ($"{module}.lora_B.weight", ones(outFeatures, 4)))
        );

        Assert.Contains("test-lora", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lora_magnitude_vector.weight", "DoRA")]
    [InlineData("reshape_weight", "control LoRA")]
    [InlineData("oft_blocks", "OFT")]
    [InlineData("lora_C.weight", "not understood")]
    [InlineData("scalar", "not understood")]
    [InlineData("lora_A.bias", "not applied")]
    [InlineData("lora_B.second.weight", "twice")]
    [InlineData("hada_w1_a", "hada_w1_b")]
    [InlineData("lokr_w1", "lokr_w2")]
    [InlineData("set_weight", "changes too")]
    public void Resolve_WordBesideAPairThatIsNotApplied_RefusesTheFileByKey(string part, string reason)
    {
        using var scope = NewDisposeScope();

        var refusal = Assert.Throws<CheckpointException>(() =>
            Resolve(
                1,
                ("blocks.1.self_attn.q.lora_A.weight", ones(4, 64)),
                ("blocks.1.self_attn.q.lora_B.weight", ones(64, 4)),
                ($"blocks.1.self_attn.q.{part}", ones(64, 64))
            )
        );

        Assert.Contains($"self_attn.q.{part}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        Assert.Contains("test-lora", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lora_A.weight", "way up")]
    [InlineData("lora_up.weight", "way down")]
    [InlineData("lora_mid.weight", "way down")]
    [InlineData("hada_w2_b", "hada_w1_a")]
    [InlineData("lokr_w2_a", "lokr_w1")]
    [InlineData("dora_scale", "no change")]
    [InlineData("lora_B.bias", "no change")]
    public void Resolve_HalfAChange_IsRefusedNamingTheOther(string part, string missing)
    {
        using var scope = NewDisposeScope();

        var refusal = Assert.Throws<CheckpointException>(() => Resolve(1, ($"blocks.1.self_attn.q.{part}", ones(64, 4))));

        Assert.Contains(missing, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_OneMisfitAmongOthers_IsANoteAndTheRestApplies()
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(
            1,
            ("blocks.1.self_attn.q.lora_A.weight", ones(4, 64)),
            ("blocks.1.self_attn.q.lora_B.weight", ones(64, 4)),
            ("patch_embedding.lora_A.weight", ones([4, 36, 1, 2, 2])),
            ("patch_embedding.lora_B.weight", ones([64, 4, 1, 1, 1]))
        );

        Assert.Equal([Target], set.Changes.Keys);
        Assert.Contains("patch_embedding", Assert.Single(set.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_AlphaThatIsNoNumber_CountsForNothingAndIsANote()
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(
            1,
            ("blocks.1.self_attn.q.lora_A.weight", ones(4, 64)),
            ("blocks.1.self_attn.q.lora_B.weight", ones(64, 4)),
            ("blocks.1.self_attn.q.alpha", tensor(float.NaN))
        );

        Assert.Equal(1, Scale(set.Changes[Target][0]));
        Assert.Contains("no finite number", Assert.Single(set.Notes), StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_RankBeyondTheWeight_IsApplied()
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(
            1,
            ("blocks.1.self_attn.q.lora_A.weight", ones(4096, 64)),
            ("blocks.1.self_attn.q.lora_B.weight", ones(64, 4096)),
            ("blocks.1.self_attn.q.alpha", tensor(4096f))
        );

        using var merged = set.Changes[Target][0].ApplyTo(zeros(64, 64));
        Assert.Equal(4096, merged[0, 0].item<float>());
    }

    [Fact]
    public void Resolve_ReplacedWeight_IsTheFilesWhateverTheStrength()
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(0.3, ("diffusion_model.blocks.1.self_attn.q.set_weight", full([64, 64], 7f)));

        Assert.Equal(7, set.Changes[Target][0].ApplyTo(zeros(64, 64)).max().item<float>());
        Assert.Contains("whatever the strength", Assert.Single(set.Notes), StringComparison.Ordinal);
        using var without = Resolve(0, ("diffusion_model.blocks.1.self_attn.q.set_weight", full([64, 64], 7f)));
        Assert.True(without.IsEmpty);
    }

    [Fact]
    public void Resolve_BiasOfTheWayUp_CountsAsOftenAsThePair()
    {
        using var scope = NewDisposeScope();
        using var set = Resolve(
            0.5,
            ("blocks.1.self_attn.q.lora_A.weight", ones(4, 64)),
            ("blocks.1.self_attn.q.lora_B.weight", ones(64, 4)),
            ("blocks.1.self_attn.q.lora_B.bias", ones(64)),
            ("blocks.1.self_attn.q.alpha", tensor(1f))
        );

        Assert.Equal(0.125, Assert.IsType<DirectChange>(Assert.Single(set.Changes["blocks.1.self_attn.q.bias"])).Scale);
    }

    [Fact]
    public void MergedSource_TwoLorasOnAScaledEightBitWeight_AddsToWhatTheCodesMean()
    {
        using var scope = NewDisposeScope();
        var codes = tensor(new float[] { 8, -4, 2, 448 }).view(2, 2).to(ElementType.Float8E4M3);
        using var model = new MemorySource(
            new Dictionary<string, Tensor>
            {
                ["x.weight"] = codes,
                ["x.scale_weight"] = tensor(0.5f),
                ["y.weight"] = ones(2),
            }
        );
        using var file = new MemorySource(
            new Dictionary<string, Tensor>
            {
                ["a"] = tensor(new float[] { 1, 2 }).view(1, 2),
                ["b"] = tensor(new float[] { 3, 4 }).view(2, 1),
                ["d"] = ones(2, 2),
            }
        );
        AdapterTensor Of(string key) => new(file, file.Entries[key]);
        var pair = new DeltaChange(new PairDelta(Of("a"), Of("b"), null), new WeightSizes(2, 2, 1), 0.1);
        var changes = new Dictionary<string, IReadOnlyList<TensorChange>> { ["x.weight"] = [pair, pair, new DirectChange(Of("d"), 10)] };

        using var merged = new MergedSource(model, changes, CPU);
        using var weight = merged.Load("x.weight");

        Assert.Equal(
            [4 + 0.6f + 10, -2 + 1.2f + 10, 1 + 0.8f + 10, 224 + 1.6f + 10],
            weight.data<float>().ToArray(),
            (a, b) => Math.Abs(a - b) < 1e-4
        );
        Assert.Equal("F32", merged.Entries["x.weight"].Type.Name);
        Assert.False(merged.Entries.ContainsKey("x.scale_weight"), "a scale that is already counted would count twice");
        Assert.True(merged.Entries.ContainsKey("y.weight"));
    }

    private static double Scale(TensorChange change) => Assert.IsType<DeltaChange>(change).Scale;

    private static LoraSet Resolve(double strength, params (string Key, Tensor Values)[] tensors) =>
        LoraSet.Resolve(
            [new NamedLora("test-lora", strength, new MemorySource(tensors.Select(t => KeyValuePair.Create(t.Key, t.Values))))],
            ModelShapes.Tiny.Transformer
        );
}
