using RenderFarm.Inference.Layers;
using RenderFarm.Testing;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Stages;
using RenderFarm.Training.Weights;
using RenderFarm.Wan.Vae;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Training.Tests.Stages;

public sealed class VaeTrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly VaeTrainer _trainer;

    public VaeTrainerTests() => _trainer = new VaeTrainer(SmallRun.Options(_folder.Path), new Journal(TextWriter.Null));

    public void Dispose()
    {
        _trainer.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Loss_OneClip_ComesDown()
    {
        using var scope = NewDisposeScope();
        var video = new ClipPainter(CPU).Paint([new SceneGenerator(1).Draw(0, new ClipSize(16, 16, 5))]);
        using var adam = new FlatAdam(_trainer.Parameters);
        var errors = new List<double>();
        for (var i = 0; i < 30; i++)
        {
            using var step = NewDisposeScope();
            var (loss, error, _) = _trainer.Loss(_trainer.Parameters.Open(ScalarType.Float32), video);
            loss.backward();
            adam.Advance(5e-3);
            errors.Add(error.item<float>());
        }

        Assert.True(errors[^5..].Average() < 0.5 * errors[0], string.Join(" ", errors));
    }

    /// <summary>Single frames come first; what only later frames pass through waits for them.</summary>
    [Theory]
    [InlineData(0.0, false)]
    [InlineData(0.5, true)]
    public void Step_ShareOfTheBudget_DecidesOnFrames(double share, bool sawTime)
    {
        using var before = _trainer.Parameters.Values.detach().clone();
        _trainer.Step(VaeProducts.All[1], 1e-3, tell: false, share);

        long at = 0;
        foreach (var entry in _trainer.Parameters.Entries)
        {
            using var gradientStep = (
                _trainer.Parameters.Values.narrow(0, at, entry.Elements) - before.narrow(0, at, entry.Elements) * (1 - 1e-5)
            )
                .abs()
                .max();
            if (entry.Name.EndsWith("time_conv.weight", StringComparison.Ordinal))
            {
                Assert.Equal(sawTime, gradientStep.item<float>() > 1e-5);
            }

            at += entry.Elements;
        }
    }

    [Fact]
    public void Step_Once_ChangesEveryTensorThatFramesDependOn()
    {
        using var before = _trainer.Parameters.Values.detach().clone();
        _trainer.Step(VaeProducts.All[0], 1e-3, tell: true);

        long at = 0;
        foreach (var entry in _trainer.Parameters.Entries)
        {
            using var change = (_trainer.Parameters.Values - before).narrow(0, at, entry.Elements).abs().max();
            Assert.True(change.item<float>() > 0, $"{entry.Name} has not moved");
            at += entry.Elements;
        }
    }

    [Fact]
    public void Run_DecoderOnly_LeavesTheEncoderAsItIs()
    {
        using var trainer = new VaeTrainer(
            SmallRun.Options(_folder.Path) with
            {
                DecoderOnly = true,
                VaeSeconds = 0.5,
            },
            new Journal(TextWriter.Null)
        );
        using var before = trainer.Parameters.Values.detach().clone();

        trainer.Run();

        Assert.True(trainer.Steps > 0);
        long at = 0;
        foreach (var entry in trainer.Parameters.Entries)
        {
            using var change = (trainer.Parameters.Values - before).narrow(0, at, entry.Elements).abs().max();
            var encodes =
                entry.Name.StartsWith("encoder.", StringComparison.Ordinal) || entry.Name.StartsWith("conv1.", StringComparison.Ordinal);
            if (encodes)
            {
                Assert.Equal(0, change.item<float>());
            }
            else if (entry.Name == "decoder.head.2.weight")
            {
                Assert.True(change.item<float>() > 0);
            }

            at += entry.Elements;
        }
    }

    [Fact]
    public void Step_AfterTheFirst_LeavesNoTensorBehind()
    {
        _trainer.Step(VaeProducts.All[0], 1e-3, tell: false);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        for (var i = 0; i < 3; i++)
        {
            _trainer.Step(VaeProducts.All[0], 1e-3, tell: true);
        }

        Assert.InRange(DisposeScopeManager.Statistics.ThreadTotalLiveCount, before - 5, before);
    }

    /// <summary>The published mean and deviation become true of the latents, and what comes out stays what it was.</summary>
    [Fact]
    public void Folded_OtherStatistics_NormalisesLatentsAndKeepsThePicture()
    {
        for (var i = 0; i < 3; i++)
        {
            _trainer.Step(VaeProducts.All[0], 1e-3, tell: false);
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var options = SmallRun.Options(_folder.Path);
        var raw = new WanVae(_trainer.Parameters.Open(ScalarType.Float32), VaeTrainer.RawShape(options.Shape.Vae));
        var (mean, deviation) = LatentStatistics.Measure(_trainer.Parameters, _trainer.Parameters.Values, options, 8);
        var folder = new ModelFolder(_folder.Path);

        var folded = LatentStatistics.Folded(
            TrainingRun.Named(_trainer.Parameters, _trainer.Parameters.Values),
            options.Shape.Vae,
            mean,
            deviation
        );
        folder.Write(ModelFolder.Vae, folded);

        using var source = Inference.Safetensors.SafetensorsFile.Open(folder.PathOf(ModelFolder.Vae));
        using var finished = LoadedWeights.Build(source, CPU, ScalarType.Float32, weights => new WanVae(weights, options.Shape.Vae));
        var video = rand([1, 3, 9, 16, 16]) * 2 - 1;
        var (before, after) = (raw.Encode(video), finished.Module.Encode(video));
        var expected = (before - mean.view(1, -1, 1, 1, 1)) / deviation.view(1, -1, 1, 1, 1);
        Assert.True(((after - expected).abs().max() / expected.abs().max()).item<float>() < 0.02); // float16 weights
        var error = VaeTrainer.Joined(raw.DecodeUnclamped(before)) - VaeTrainer.Joined(finished.Module.DecodeUnclamped(expected));
        Assert.True(error.abs().max().item<float>() < 0.05);
    }
}
