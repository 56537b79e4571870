using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Rendering.Loading;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Loras;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using TorchSharp;

namespace RenderFarm.Rendering.Tests.Pipelines;

/// <summary>Counts of live tensors are of the whole process: nothing may run beside.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class CountsTensors
{
    public const string Name = "counts tensors";
}

/// <summary>Which of two experts a step runs on, and that the other one is not in memory.</summary>
[Collection(CountsTensors.Name)]
public sealed class ExpertsTests : IDisposable
{
    private static readonly ModelShape Shape = TinyShapes.TwoExperts;

    private readonly TemporaryFolder _folder = new();
    private readonly ModelManifest _model;

    public ExpertsTests() => _model = RandomModel.Write(Shape, _folder.Path, seed: 1, _ => { });

    [Fact]
    public void Render_ThreeSteps_ChangesOverOnceAtTheBoundary()
    {
        var parts = new RecordedParts(new CheckpointParts(Files(), Shape));

        Render(parts, Spec()); // Timesteps 999, 857 and 600: the boundary lies at 875

        Assert.Equal(
            [ModelPart.TextEncoder, ModelPart.Transformer, ModelPart.TransformerLowNoise, ModelPart.Vae],
            parts.Opened.Select(opened => opened.Part)
        );
        Assert.True(
            parts.Opened[2].LiveTensors < parts.Opened[1].LiveTensors + 10,
            "the high-noise expert is still there while the other is loaded"
        );
    }

    [Theory]
    [InlineData(0, ModelPart.TransformerLowNoise)]
    [InlineData(3, ModelPart.Transformer)]
    public void Render_BoundaryStepAtAnEnd_OneExpertOnly(int step, ModelPart expert)
    {
        var parts = new RecordedParts(new CheckpointParts(Files(), Shape));

        Render(parts, Spec() with { BoundaryStep = step });

        Assert.Equal(
            [expert],
            parts.Opened.Select(opened => opened.Part).Where(part => part is ModelPart.Transformer or ModelPart.TransformerLowNoise)
        );
    }

    [Fact]
    public void Render_ScaleOfEachExpert_CountsForItsOwnSteps()
    {
        var plain = Render(null, Spec());

        Assert.Equal(plain, Render(null, Spec() with { HighNoiseGuidanceScale = 3 })); // The default is the low-noise one's
        Assert.NotEqual(plain, Render(null, Spec() with { HighNoiseGuidanceScale = 4 }));
        Assert.NotEqual(
            Render(null, Spec() with { HighNoiseGuidanceScale = 1, GuidanceScale = 1 }),
            Render(null, Spec() with { HighNoiseGuidanceScale = 1 })
        );
    }

    [Fact]
    public void Render_WeightsHeld_BringsTheSecondExpertNearBeforeItsTurn()
    {
        using var held = new HeldBlocks();
        var cache = Path.Combine(_folder.Path, "cache");
        var near = new NearAfterFirstStep(held);
        var bf16 = Render(null, Spec(), Precision.Bf16);

        var again = Render(null, Spec(), Precision.Bf16, cache, held, near);

        Assert.Equal(bf16, again);
        Assert.True(near.Seen); // Of three steps the last two are the second expert's
        Assert.Single(held.Paths); // The first one came and went
        held.Dispose();
        Assert.Empty(held.Paths);
    }

    [Fact]
    public void Render_LowNoiseExpertMissing_SaysWhichFileIsNotNamed()
    {
        var files = Files();
        files.TransformerLowNoise = [];

        var failure = Assert.Throws<RenderException>(() => Render(new CheckpointParts(files, Shape), Spec()));

        Assert.Contains(nameof(ModelPart.TransformerLowNoise), failure.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static RenderSpec Spec() =>
        new()
        {
            Model = Shape.Id,
            Prompt = "a red ball",
            NegativePrompt = "blurry",
            Width = 32,
            Height = 32,
            Frames = 1,
            Fps = 8,
            Steps = 3,
            GuidanceScale = 3,
            Shift = 3,
            Seed = 7,
        };

    private ModelFiles Files()
    {
        string At(string name) => Path.Combine(_folder.Path, name);
        return new ModelFiles
        {
            Transformer = [.. _model.Files.Transformer.Select(At)],
            TransformerLowNoise = [.. _model.Files.TransformerLowNoise.Select(At)],
            TextEncoder = [.. _model.Files.TextEncoder.Select(At)],
            Tokenizer = At(_model.Files.Tokenizer),
            Vae = [.. _model.Files.Vae.Select(At)],
        };
    }

    private byte[] Render(
        IModelParts? parts,
        RenderSpec spec,
        Precision precision = Precision.Fp32,
        string? cache = null,
        HeldBlocks? held = null,
        IRenderObserver? observer = null
    )
    {
        var order = new RenderOrder
        {
            JobId = "job",
            Fence = 1,
            Spec = spec,
            Shape = Shape,
            Files = Files(),
            FramePipe = "",
            WorkDirectory = _folder.Path,
            WeightCache = cache,
            Plan = new RenderPlan
            {
                Device = "cpu",
                Precision = precision,
                BlocksResident = 2,
                BlocksStreamed = 0,
                PredictedPeakBytes = 1,
                Fits = true,
            },
        };
        var frames = new LastFrame();
        using var pipeline = new VideoPipeline(
            order,
            observer ?? new SilentObserver(),
            new StageMeter(),
            TestContext.Current.CancellationToken,
            parts,
            held
        );
        pipeline.Render(frames);
        return frames.Bytes;
    }

    /// <summary>Holds the render up after its first step, until something is held.</summary>
    private sealed class NearAfterFirstStep(HeldBlocks held) : IRenderObserver
    {
        public bool Seen { get; private set; }

        public void StageStarted(RenderStage stage) { }

        public void Alive() { }

        public void StepDone(int step, int steps, double seconds) =>
            Seen |= step == 1 && SpinWait.SpinUntil(() => held.Paths.Count == 1, TimeSpan.FromSeconds(60));

        public void FramesWritten(int frames, int of) { }
    }

    private sealed class LastFrame : IFrameSink
    {
        public byte[] Bytes { get; private set; } = [];

        public void Write(ReadOnlySpan<byte> rgb24) => Bytes = rgb24.ToArray();
    }

    /// <summary>Notes what is opened when, and how many tensors are alive then.</summary>
    private sealed class RecordedParts(IModelParts parts) : IModelParts
    {
        public List<(ModelPart Part, long LiveTensors)> Opened { get; } = [];

        public void Require() => parts.Require();

        public SentencePieceTokenizer Tokenizer() => parts.Tokenizer();

        public ITensorSource Open(ModelPart part)
        {
            Opened.Add((part, torch.Tensor.TotalCount));
            return parts.Open(part);
        }

        public IReadOnlyList<NamedLora> Loras(ModelPart part, IReadOnlyList<LoraReference> requested) => parts.Loras(part, requested);

        public string Fingerprint(ModelPart part) => parts.Fingerprint(part);
    }
}
