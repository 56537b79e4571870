using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Loading;

/// <summary>Whole renders with LoRAs, merged and beside streamed blocks.</summary>
public sealed class LoraRenderTests : IDisposable
{
    private static readonly ModelShape Shape = TinyShapes.TextToVideo with
    {
        Transformer = TinyShapes.TextToVideo.Transformer with { Layers = 4 },
    };

    private readonly TemporaryFolder _folder = new();
    private readonly ModelManifest _model;

    public LoraRenderTests()
    {
        _model = RandomModel.Write(Shape, _folder.Path, seed: 1, _ => { });
        WriteLora("style", seed: 1, extra: []);
        WriteLora("other", seed: 2, extra: []);
        WriteLora("distilled", seed: 3, extra: ["blocks.0.norm3.diff"]);
    }

    [Theory]
    [InlineData(Precision.Bf16)]
    [InlineData(Precision.Fp8Weights)]
    [InlineData(Precision.Int8Weights)]
    public void Render_BesideStreamedBlocks_IsTheSameVideoAsMerged(Precision precision)
    {
        LoraReference[] both = [new("style", 0.7), new("other", -0.4)];
        var merged = Render(Plan(precision, streamed: 0), both);
        var beside = Render(Plan(precision, streamed: 4), both);
        var without = Render(Plan(precision, streamed: 4), []);

        // fp8 rounds merged weights anew, which is a little noise of its own
        var apart = Distance(merged.Frames, beside.Frames);
        var effect = Distance(merged.Frames, without.Frames);
        Assert.True(effect > 3, $"the LoRAs change next to nothing: {effect}");
        Assert.True(apart < effect / 4, $"merged and beside are {apart} apart, with and without {effect}");
    }

    [Fact]
    public void Render_BesideStreamedBlocks_LeavesThePreparedBlocksOfEveryJob()
    {
        var cache = _folder.File("cache");
        var before = Render(Plan(Precision.Bf16, streamed: 4), [], cache);
        Render(Plan(Precision.Bf16, streamed: 4), [new("style")], cache);
        Render(Plan(Precision.Bf16, streamed: 0), [new("style")], cache);

        Assert.Single(Directory.GetFiles(cache, "*.blocks"));
        Assert.Equal(before.Frames, Render(Plan(Precision.Bf16, streamed: 4), [], cache).Frames);
    }

    [Fact]
    public void Render_StrengthZero_IsTheVideoWithoutIt() =>
        Assert.Equal(Render(Plan(Precision.Fp32, 0), []).Frames, Render(Plan(Precision.Fp32, 0), [new("style", 0)]).Frames);

    [Fact]
    public void Render_TwoHalves_AreAWhole()
    {
        var whole = Render(Plan(Precision.Fp32, 0), [new("style", 1)]);
        var halves = Render(Plan(Precision.Fp32, 0), [new("style", 0.5), new("style", 0.5)]);

        Assert.True(Distance(whole.Frames, halves.Frames) < 0.1);
    }

    [Fact]
    public void Render_LoraThatChangesANorm_CountsWhetherBlocksAreStreamedOrNot()
    {
        var resident = Render(Plan(Precision.Bf16, streamed: 0), [new("distilled")]);
        var streamed = Render(Plan(Precision.Bf16, streamed: 4), [new("distilled")]);

        Assert.Equal(resident.Frames, streamed.Frames);
    }

    [Theory]
    [InlineData("lokr", "LoKr")]
    [InlineData("dora", "DoRA")]
    [InlineData("set", "replaced")]
    public void Render_ChangeThatCannotRunBesideStreamedWeights_IsMergedWhileTheyArePreparedAndSaysSo(string kind, string said)
    {
        WriteAdapter(kind);

        var resident = Render(Plan(Precision.Bf16, streamed: 0), [new(kind, 0.5)]);
        var streamed = Render(Plan(Precision.Bf16, streamed: 4), [new(kind, 0.5)]);
        var without = Render(Plan(Precision.Bf16, streamed: 4), []);

        Assert.Equal(resident.Frames, streamed.Frames);
        Assert.True(Distance(without.Frames, streamed.Frames) > 0.5, "it changes next to nothing");
        Assert.Contains("can't run beside streamed weights", streamed.Warning, StringComparison.Ordinal);
        Assert.Contains(said, streamed.Warning, StringComparison.Ordinal);
        Assert.DoesNotContain("beside streamed weights", resident.Warning ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public void Render_KeysWithoutAPlace_AreReported()
    {
        WriteLora("image", seed: 4, extra: ["blocks.0.cross_attn.norm_k_img.diff"]);

        Assert.Contains("norm_k_img", Render(Plan(Precision.Fp32, 0), [new("image")]).Warning, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_UnknownName_SaysWhichThereAre()
    {
        var failure = Assert.Throws<RenderException>(() => Render(Plan(Precision.Fp32, 0), [new("nowhere")]));

        Assert.Equal(FailureReason.InvalidRequest, failure.Reason);
        Assert.Contains("distilled, other, style", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Render_OtherArchitecture_IsRefusedByName()
    {
        WriteLora("wide", seed: 4, extra: [], width: 96);

        var failure = Assert.Throws<RenderException>(() => Render(Plan(Precision.Fp32, 0), [new("wide")]));

        Assert.Equal(FailureReason.InvalidRequest, failure.Reason);
        Assert.Contains("'wide'", failure.Message, StringComparison.Ordinal);
        Assert.Contains("another architecture", failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static double Distance(byte[] a, byte[] b) => a.Zip(b).Average(pair => Math.Abs(pair.First - pair.Second));

    private static RenderPlan Plan(Precision precision, int streamed) =>
        new()
        {
            Device = "cpu",
            Precision = precision,
            BlocksResident = Shape.Transformer.Layers - streamed,
            BlocksStreamed = streamed,
            RingSlots = streamed == 0 ? 0 : 2,
            PredictedPeakBytes = 1,
            Fits = true,
        };

    /// <summary>Rank 4 on every product of every block, and differences of the tensors named.</summary>
    private void WriteLora(string name, ulong seed, IReadOnlyList<string> extra, int width = 64)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed, CPU);
        var tensors = new Dictionary<string, Tensor>();
        Tensor Draw(params long[] sizes) => randn(sizes, dtype: ScalarType.Float32, generator: generator) * 0.3;
        for (var block = 0; block < Shape.Transformer.Layers; block++)
        {
            foreach (
                var (product, outFeatures, inFeatures) in new[]
                {
                    ("self_attn.q", width, width),
                    ("self_attn.v", width, width),
                    ("cross_attn.o", width, width),
                    ("ffn.0", 2 * width, width),
                    ("ffn.2", width, 2 * width),
                }
            )
            {
                tensors[$"diffusion_model.blocks.{block}.{product}.lora_down.weight"] = Draw(4, inFeatures);
                tensors[$"diffusion_model.blocks.{block}.{product}.lora_up.weight"] = Draw(outFeatures, 4);
                tensors[$"diffusion_model.blocks.{block}.{product}.alpha"] = tensor(2.0f);
                tensors[$"diffusion_model.blocks.{block}.{product}.diff_b"] = Draw(outFeatures);
            }
        }

        foreach (var key in extra)
        {
            tensors["diffusion_model." + key] = Draw(width);
        }

        Save(name, tensors);
    }

    private void Save(string name, Dictionary<string, Tensor> tensors)
    {
        using var writer = new SafetensorsWriter(
            _folder.File(name + ".safetensors"),
            tensors.Select(t => new TensorEntry(t.Key, ElementType.Of(t.Value.dtype), t.Value.shape))
        );
        foreach (var (key, values) in tensors)
        {
            writer.Write(key, values);
        }

        writer.Complete();
    }

    /// <summary>On the queries and the first feed-forward product of every block.</summary>
    private void WriteAdapter(string kind)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5, CPU);
        var tensors = new Dictionary<string, Tensor>();
        Tensor Draw(params long[] sizes) => randn(sizes, dtype: ScalarType.Float32, generator: generator) * 0.3;
        for (var block = 0; block < Shape.Transformer.Layers; block++)
        {
            foreach (var (product, rows) in new[] { ("self_attn.q", 64), ("ffn.0", 128) })
            {
                var module = $"diffusion_model.blocks.{block}.{product}";
                switch (kind)
                {
                    case "lokr":
                        tensors[$"{module}.lokr_w1"] = Draw(rows / 8, 8);
                        tensors[$"{module}.lokr_w2"] = Draw(8, 8);
                        break;
                    case "dora":
                        tensors[$"{module}.lora_A.weight"] = Draw(4, 64);
                        tensors[$"{module}.lora_B.weight"] = Draw(rows, 4);
                        tensors[$"{module}.dora_scale"] = Draw(rows, 1).abs() + 1;
                        break;
                    default:
                        tensors[$"{module}.set_weight"] = Draw(rows, 64);
                        break;
                }
            }
        }

        Save(kind, tensors);
    }

    private (byte[] Frames, string? Warning) Render(RenderPlan plan, IReadOnlyList<LoraReference> loras, string? cache = null)
    {
        string At(string name) => Path.Combine(_folder.Path, name);
        var order = new RenderOrder
        {
            JobId = "job",
            Fence = 1,
            Plan = plan,
            Shape = Shape,
            FramePipe = "",
            WorkDirectory = _folder.Path,
            WeightCache = cache,
            Spec = new RenderSpec
            {
                Model = Shape.Id,
                Prompt = "a red ball",
                Width = 32,
                Height = 32,
                Frames = 1,
                Fps = 8,
                Steps = 2,
                GuidanceScale = 1,
                Shift = 3,
                Seed = 7,
                Loras = loras,
            },
            Files = new ModelFiles
            {
                Transformer = [.. _model.Files.Transformer.Select(At)],
                TextEncoder = [.. _model.Files.TextEncoder.Select(At)],
                Tokenizer = At(_model.Files.Tokenizer),
                Vae = [.. _model.Files.Vae.Select(At)],
                Loras = Directory
                    .GetFiles(_folder.Path, "*.safetensors")
                    .Where(file => !Path.GetFileName(file).Any(char.IsUpper) && !file.Contains("diffusion") && !file.Contains("models_"))
                    .ToDictionary(file => Path.GetFileNameWithoutExtension(file)),
            },
        };
        var frames = new Frames();
        using var pipeline = new VideoPipeline(order, new SilentObserver(), new StageMeter(), TestContext.Current.CancellationToken);
        var result = pipeline.Render(frames);
        return (frames.Bytes, result.Warning);
    }

    private sealed class Frames : IFrameSink
    {
        public byte[] Bytes { get; private set; } = [];

        public void Write(ReadOnlySpan<byte> rgb24) => Bytes = [.. Bytes, .. rgb24];
    }
}
