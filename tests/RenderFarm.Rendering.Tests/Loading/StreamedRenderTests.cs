using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Loading;

/// <summary>A whole render from prepared blocks, through the classes that a card uses.</summary>
public sealed class StreamedRenderTests : IDisposable
{
    private static readonly ModelShape Shape = ModelShapes.Tiny with { Transformer = ModelShapes.Tiny.Transformer with { Layers = 5 } };

    private readonly TemporaryFolder _folder = new();
    private readonly ModelManifest _model;

    public StreamedRenderTests() => _model = RandomModel.Write(Shape, _folder.Path, seed: 1, _ => { });

    [Theory]
    [InlineData(Precision.Bf16)]
    [InlineData(Precision.Fp8Weights)]
    [InlineData(Precision.Int8Weights)]
    public void Render_BlocksStreamed_SameFramesBitForBit(Precision precision)
    {
        var resident = Render(Plan(precision, streamed: 0));

        Assert.Contains(resident, frame => frame.Distinct().Count() > 1);
        foreach (var (streamed, slots) in new[] { (2, 1), (4, 2), (5, 2), (5, 3) })
        {
            Assert.Equal(resident, Render(Plan(precision, streamed, slots)));
        }
    }

    [Fact]
    public void Render_GuidanceBatched_SameVideoAsInTwoPasses()
    {
        var apart = Render(Plan(Precision.Fp32, streamed: 0));

        var batched = Render(Plan(Precision.Fp32, streamed: 0) with { GuidanceBatched = true });

        Assert.Equal(apart.Count, batched.Count);
        foreach (var (one, other) in apart.Zip(batched))
        {
            Assert.All(one.Zip(other), pixel => Assert.InRange(pixel.First - pixel.Second, -1, 1)); // Sums in another order
        }
    }

    [Fact]
    public void Render_WeightCache_IsFilledOnceAndReadAgain()
    {
        var cache = _folder.File("cache");
        var first = Render(Plan(Precision.Bf16, streamed: 5), cache);
        var blocks = Directory.GetFiles(cache, "*.blocks").Single();
        var written = File.GetLastWriteTimeUtc(blocks);

        var second = Render(Plan(Precision.Bf16, streamed: 3), cache);

        Assert.Equal(first, second);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Directory.GetFiles(cache, "*.blocks").Single()));
    }

    [Fact]
    public void Render_NoWeightCache_LeavesNothingInSharedMemory()
    {
        Render(Plan(Precision.Bf16, streamed: 5));

        Assert.Empty(Directory.GetFiles("/dev/shm", $"renderfarm-{Environment.ProcessId}-*"));
    }

    [Theory]
    [InlineData(Float8.Type, "fp8")]
    [InlineData(Int8.Type, "int8")]
    public void Render_FileInEightBits_KeepsThemWhicheverAreOnlyToBeStored(ScalarType type, string kept)
    {
        StoreInEightBits(type);
        var cache = _folder.File("cache");

        var asE4M3 = Render(Plan(Precision.Fp8Weights, streamed: 5), cache);
        var asInt8 = Render(Plan(Precision.Int8Weights, streamed: 5), cache);

        Assert.Equal(asE4M3, asInt8);
        Assert.EndsWith($"-{kept}.blocks", Directory.GetFiles(cache, "*.blocks").Single(), StringComparison.Ordinal);
    }

    [Fact]
    public void Render_TiledVae_EveryFrameInFullSize()
    {
        var frames = Render(Plan(Precision.Fp32, streamed: 0) with { VaeTile = 16 }, width: 192, height: 128);

        Assert.Equal(5, frames.Count);
        Assert.All(frames, frame => Assert.Equal(192 * 128 * 3, frame.Length));
    }

    [Theory]
    [InlineData(Precision.Bf16, 3, 0)] // Nothing to stream through
    [InlineData(Precision.Fp32, 3, 2)] // float32 is not streamed
    [InlineData(Precision.Fp8, 0, 0)] // No fp8 products on a CPU
    [InlineData(Precision.Int8, 0, 0)] // Nor int8 ones
    public void Render_PlanThatCannotBeCarriedOut_IsRefused(Precision precision, int streamed, int slots)
    {
        var failure = Assert.Throws<RenderException>(() => Render(Plan(precision, streamed, slots)));

        Assert.Equal(FailureReason.InvalidRequest, failure.Reason);
    }

    public void Dispose() => _folder.Dispose();

    private static RenderPlan Plan(Precision precision, int streamed, int slots = 2) =>
        new()
        {
            Device = "cpu",
            Precision = precision,
            BlocksResident = Shape.Transformer.Layers - streamed,
            BlocksStreamed = streamed,
            RingSlots = streamed == 0 ? 0 : slots,
            PredictedPeakBytes = 1,
            Fits = true,
        };

    /// <summary>Writes the transformer again, its blocks' products in eight bits with a scale beside each.</summary>
    private void StoreInEightBits(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var path = Path.Combine(_folder.Path, _model.Files.Transformer.Single());
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        using (var file = SafetensorsFile.Open(path))
        {
            foreach (var (name, entry) in file.Entries)
            {
                var stored = file.Load(name);
                var ofBlock = name.StartsWith("blocks.", StringComparison.Ordinal) && name.EndsWith(".weight", StringComparison.Ordinal);
                if (!ofBlock || entry.Shape.Count < 2)
                {
                    tensors.Add(name, stored);
                    continue;
                }

                var (values, scales) = EightBits.QuantizeRows(stored, type);
                tensors.Add(name, values);
                tensors.Add($"{name[..^".weight".Length]}.scale_weight", scales);
            }
        }

        using var writer = new SafetensorsWriter(
            path,
            tensors.Select(pair => new TensorEntry(pair.Key, ElementType.Of(pair.Value.dtype), pair.Value.shape))
        );
        foreach (var (name, values) in tensors)
        {
            writer.Write(name, values);
        }

        writer.Complete();
    }

    private List<byte[]> Render(RenderPlan plan, string? cache = null, int width = 32, int height = 32)
    {
        string At(string name) => Path.Combine(_folder.Path, name);
        var order = new RenderOrder
        {
            JobId = "job",
            Fence = 1,
            Spec = new RenderSpec
            {
                Model = "tiny",
                Prompt = "a red ball",
                NegativePrompt = "blurry",
                Width = width,
                Height = height,
                Frames = 5,
                Fps = 8,
                Steps = 2,
                GuidanceScale = 3,
                Shift = 3,
                Seed = 7,
            },
            Plan = plan,
            Shape = Shape,
            Files = new ModelFiles
            {
                Transformer = [.. _model.Files.Transformer.Select(At)],
                TextEncoder = [.. _model.Files.TextEncoder.Select(At)],
                Tokenizer = At(_model.Files.Tokenizer),
                Vae = [.. _model.Files.Vae.Select(At)],
            },
            FramePipe = "",
            WorkDirectory = _folder.Path,
            WeightCache = cache,
        };
        var frames = new Frames();
        using var pipeline = new VideoPipeline(order, new SilentObserver(), new StageMeter(), TestContext.Current.CancellationToken);
        pipeline.Render(frames);
        return frames.Written;
    }

    private sealed class Frames : IFrameSink
    {
        public List<byte[]> Written { get; } = [];

        public void Write(ReadOnlySpan<byte> rgb24) => Written.Add(rgb24.ToArray());
    }
}
