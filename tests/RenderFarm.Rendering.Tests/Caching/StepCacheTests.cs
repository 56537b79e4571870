using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;
using RenderFarm.Inference.Layers;
using RenderFarm.Planning.Models;
using RenderFarm.Planning.StepCaching;
using RenderFarm.Rendering.Caching;
using RenderFarm.Rendering.Pipelines;
using RenderFarm.Rendering.Sampling;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Caching;

/// <summary>What step caches decide, and what that costs against the full run.</summary>
public sealed class StepCacheTests : IDisposable
{
    private const int Steps = 20;
    private static readonly TransformerShape Shape = ModelShapes.Tiny.Transformer;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void MagCache_RatiosOfOne_SkipsAsManyAsAllowedInARow()
    {
        var ran = Ran(new MagCache(Flat(1), new MagCacheSettings(0.1, MostInARow: 2, Retention: 0.2), 10, 0, ScalarType.Float32), 10);

        Assert.Equal([0, 1, 4, 7], ran); // A fifth always runs; then two of three are left out
    }

    [Fact]
    public void MagCache_ErrorAddsUpOverTheThreshold_RunsAgain()
    {
        // 1 − 0.98 = 0.02, then 1 − 0.98² = 0.0396: 0.0596 together is more than 0.05
        var ran = Ran(new MagCache(Flat(0.98), new MagCacheSettings(0.05, MostInARow: 9, Retention: 0), 8, 0, ScalarType.Float32), 8);

        Assert.Equal([0, 2, 4, 6], ran);
    }

    [Fact]
    public void MagCache_TwoExperts_KeepsTheHighNoiseStepsWholeWhereTheAuthorsDo()
    {
        var ran = Ran(
            new MagCache(
                Flat(1),
                new MagCacheSettings(0.1, MostInARow: 9, Retention: 0.5, HighNoiseToo: false),
                10,
                highNoiseSteps: 4,
                ScalarType.Float32
            ),
            10,
            switchAt: 4
        );

        Assert.Equal([0, 1, 2, 3, 4, 5, 6], ran);
    }

    [Fact]
    public void MagCache_ExpertChanged_NothingOfTheOtherIsUsed()
    {
        var ran = Ran(
            new MagCache(Flat(1), new MagCacheSettings(0.1, MostInARow: 9, Retention: 0), 10, highNoiseSteps: 5, ScalarType.Float32),
            10,
            switchAt: 5
        );

        Assert.Contains(5, ran);
        Assert.True(ran.Count < 6);
    }

    [Fact]
    public void Ratios_OtherLength_TakesTheNearestOfEachBranch()
    {
        var published = MagnitudeRatios.T2v1Point3B;

        Assert.Equal(50, published.Conditional.Count);
        Assert.Same(published, published.For(50));
        var half = published.For(25);
        Assert.Equal(
            (published.Conditional[0], published.Conditional[49], published.Unconditional[49]),
            (half.Conditional[0], half.Conditional[24], half.Unconditional[24])
        );
        Assert.Equal(published.Conditional[2], half.Conditional[1]); // 49 / 24 = 2.04
        Assert.Equal([published.Conditional[49]], published.For(1).Conditional);
    }

    [Fact]
    public void TeaCache_HigherThreshold_SkipsMoreAndNeverTheEnds()
    {
        int Count(double threshold)
        {
            var ran = Ran(new TeaCache([0, 0, 0, 1, 0], threshold, Steps, ScalarType.Float32), Steps);
            Assert.Contains(0, ran);
            Assert.Contains(Steps - 1, ran);
            return ran.Count;
        }

        Assert.Equal(Steps, Count(0));
        Assert.True(Count(0.05) > Count(0.3));
        Assert.Equal(2, Count(1e9));
    }

    [Fact]
    public void TeaCache_PolynomialBelowZero_CountsAsNoChange()
    {
        // −0.5 at the change of a twentieth. A sum that fell would be under every threshold from then on
        var below = Ran(new TeaCache([10, -1], 0, Steps, ScalarType.Float32), Steps);

        Assert.Equal(Enumerable.Range(0, Steps), below); // Every sum is zero, which is not below a threshold of zero
    }

    [Fact]
    public void TeaCache_WithoutPolynomial_AddsUpTheChangeItself()
    {
        var ran = Ran(new TeaCache(null, 0.08, Steps, ScalarType.Float32), Steps);

        Assert.Equal([0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 19], ran); // A twentieth a step: two make more than 0.08
    }

    [Fact]
    public void MagCache_PartOfAnExpertsForwardsIsAFraction_IsCutOff()
    {
        // 2 · 5 forwards of the second expert, a quarter of them: 2.5 after the sixth is call 8, from which one may be left out
        var ran = Ran(
            new MagCache(
                Flat(1),
                new MagCacheSettings(1, MostInARow: 99, Retention: 0.25, HighNoiseToo: false),
                8,
                highNoiseSteps: 3,
                ScalarType.Float32
            ),
            8,
            switchAt: 3
        );

        Assert.Equal([0, 1, 2, 3], ran);
    }

    [Fact]
    public void Denoise_Cached_LessComputedAndTheErrorGrowsWithWhatIsSkipped()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var model = RandomModel.Write(ModelShapes.Tiny, _folder.Path, seed: 1, _ => { });
        using var source = CheckpointFiles.Open(_folder.File(model.Files.Transformer[0]));
        using var dit = LoadedWeights.Build(source, CPU, ScalarType.Float32, weights => new WanModel(weights, Shape));
        using var prompt = dit.Module.Embed([randn([5, Shape.TextDim], generator: new Generator(1))]);
        using var negative = dit.Module.Embed([randn([3, Shape.TextDim], generator: new Generator(2))]);
        var noise = randn([1, 16, 2, 8, 8], generator: new Generator(3));
        Tensor Run(IStepCache? cache)
        {
            using var sampler = new UniPcSampler(FlowSchedule.UniPc(Steps, 5));
            return Denoiser.Run(new DenoiseInput(dit.Module, prompt, negative, 3) { StepCache = cache }, noise, sampler);
        }
        double Error(Tensor latent, Tensor whole) => ((latent - whole).norm() / whole.norm()).item<float>();

        var full = Run(null);
        double before = 0;
        foreach (var (most, skipped) in new[] { (0, 0), (1, 16), (3, 24) })
        {
            using var cache = new MagCache(Flat(1), new MagCacheSettings(1, most, 0.2), Steps, 0, ScalarType.Float32);
            var latent = Run(cache);
            var error = Error(latent, full);

            Assert.Equal(skipped, cache.Skipped);
            Assert.True(skipped == 0 ? error == 0 : error > before, $"{skipped} of {2 * Steps} left out: error {error}, before {before}");
            Assert.True(error < 0.6, $"{skipped} of {2 * Steps} left out: error {error}");
            before = error;
        }
    }

    [Theory]
    [InlineData("t2v-a14b", StepCacheKind.Teacache, "t2v-14b")]
    [InlineData("demo", StepCacheKind.Magcache, "i2v-a14b")]
    [InlineData("ti2v-5b", StepCacheKind.Teacache, "threshold")]
    public void Create_NothingPublished_SaysForWhichModels(string model, StepCacheKind kind, string expected) =>
        Assert.Contains(
            expected,
            Assert
                .Throws<RenderException>(() => StepCaches.Create(Spec(model, new StepCacheChoice(kind)), false, 0, ScalarType.Float32))
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Create_EveryPublishedModel_IsMadeWithItsOwnFigures()
    {
        foreach (var model in new[] { "t2v-1-3b", "t2v-14b", "i2v-14b-480p", "i2v-14b-720p", "ti2v-5b", "t2v-a14b", "i2v-a14b" })
        {
            Assert.IsType<MagCache>(
                StepCaches.Create(Spec(model, new StepCacheChoice(StepCacheKind.Magcache)), true, 20, ScalarType.Float32)
            );
        }

        Assert.IsType<TeaCache>(
            StepCaches.Create(Spec("t2v-1-3b", new StepCacheChoice(StepCacheKind.Teacache)), false, 0, ScalarType.Float32)
        );
        Assert.Null(StepCaches.Create(Spec("demo", null), false, 0, ScalarType.Float32));
    }

    [Fact]
    public void Render_StepsLeftOut_AreNotTakenForTheTimeOfAStep()
    {
        var shape = ModelShapes.Tiny with { Id = ModelShapes.T2v1Point3B.Id };
        var model = RandomModel.Write(shape, _folder.Path, seed: 1, _ => { });
        var order = new RenderOrder
        {
            JobId = "job",
            Fence = 1,
            Shape = shape,
            FramePipe = "",
            WorkDirectory = _folder.Path,
            Plan = new RenderPlan
            {
                Device = "cpu",
                Precision = Precision.Fp32,
                BlocksResident = shape.Transformer.Layers,
                BlocksStreamed = 0,
                PredictedPeakBytes = 1,
                Fits = true,
            },
            Spec = Spec(shape.Id, new StepCacheChoice(StepCacheKind.Magcache, Threshold: 1e9)) with { Width = 32, Height = 32, Steps = 4 },
            Files = new ModelFiles
            {
                Transformer = [At(model.Files.Transformer)],
                TextEncoder = [At(model.Files.TextEncoder)],
                Tokenizer = _folder.File(model.Files.Tokenizer),
                Vae = [At(model.Files.Vae)],
            },
        };
        var (meter, steps) = (new StageMeter(), new StepTimes());
        using var pipeline = new VideoPipeline(order, steps, meter, TestContext.Current.CancellationToken);

        pipeline.Render(new NoFrames());

        Assert.Equal(4, steps.Seconds.Count);
        Assert.Equal(steps.Seconds[0], meter.Measured().StepSeconds); // The only one that ran its blocks; the median is another
    }

    public void Dispose() => _folder.Dispose();

    private string At(IReadOnlyList<string> files) => _folder.File(Assert.Single(files));

    private sealed class StepTimes : IRenderObserver
    {
        public List<double> Seconds { get; } = [];

        public void StageStarted(RenderStage stage) { }

        public void StepDone(int step, int steps, double seconds) => Seconds.Add(seconds);

        public void FramesWritten(int frames, int of) { }

        public void Alive() { }
    }

    private sealed class NoFrames : IFrameSink
    {
        public void Write(ReadOnlySpan<byte> rgb24) { }
    }

    private static RenderSpec Spec(string model, StepCacheChoice? cache) =>
        new()
        {
            Model = model,
            Prompt = "",
            Width = 16,
            Height = 16,
            Frames = 1,
            Fps = 8,
            Steps = 40,
            GuidanceScale = 5,
            Shift = 5,
            Seed = 1,
            StepCache = cache,
        };

    private static MagnitudeRatios Flat(double ratio) => new([.. Enumerable.Repeat(ratio, 50)], [.. Enumerable.Repeat(ratio, 50)]);

    /// <summary>The steps whose blocks ran, of the conditional branch; the other is asked too.</summary>
    private static List<int> Ran(IStepCache cache, int steps, int switchAt = -1)
    {
        using var scope = NewDisposeScope();
        using (cache)
        {
            var ran = new List<int>();
            for (var step = 0; step < steps; step++)
            {
                if (step == switchAt)
                {
                    cache.ExpertChanged();
                }
                // An embedding that changes by about a twentieth a step
                var e = full([1, 1, 4], Math.Pow(0.95, step), dtype: ScalarType.Float32);
                var modulation = new Modulation(e, e, [long.MaxValue]);
                foreach (var branch in new[] { GuidanceBranch.Conditional, GuidanceBranch.Unconditional })
                {
                    var skipper = cache.Forward(step, branch);
                    if (skipper.Instead(modulation) is not null)
                    {
                        continue;
                    }

                    skipper.Ran(ones(1, 2, 4));
                    if (branch == GuidanceBranch.Conditional)
                    {
                        ran.Add(step);
                    }
                }
            }
            return ran;
        }
    }
}
