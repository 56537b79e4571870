using RenderFarm.Inference.Layers;
using RenderFarm.Testing;
using RenderFarm.Training.Stages;
using RenderFarm.Training.Text;
using RenderFarm.Training.Weights;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Training.Tests.Stages;

public sealed class DenoiserTrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly FlatParameters _vaeWeights;
    private readonly TextTrainer _text;
    private readonly DenoiserTrainer _trainer;

    public DenoiserTrainerTests()
    {
        var options = SmallRun.Options(_folder.Path);
        _vaeWeights = new FlatParameters(WeightListing.Of(scope => new WanVae(scope, options.Shape.Vae)), CPU);
        _vaeWeights.Initialize(Initializer.For(1));
        _text = new TextTrainer(options, new Journal(TextWriter.Null));
        _trainer = new DenoiserTrainer(
            options,
            new Journal(TextWriter.Null),
            new WanVae(_vaeWeights.Open(ScalarType.Float32), options.Shape.Vae),
            Encoder
        );
        _trainer.Refresh(0, 8);
    }

    private Umt5Encoder Encoder => new(_text.Parameters.Open(ScalarType.Float32).Scope(TextTrainer.Encoder), SmallRun.Shape.TextEncoder);

    public void Dispose()
    {
        _trainer.Dispose();
        _text.Dispose();
        _vaeWeights.Dispose();
        _folder.Dispose();
    }

    /// <summary>The output begins at nothing, so what lies before it moves from the second step on.</summary>
    [Fact]
    public void Step_AFewTimes_ChangesEveryTensor()
    {
        using var before = _trainer.Parameters.Values.detach().clone();
        for (var i = 0; i < 4; i++)
        {
            _trainer.Step(ScalarType.Float32, 1e-3, tell: false);
        }

        long at = 0;
        foreach (var entry in _trainer.Parameters.Entries)
        {
            using var change = (_trainer.Parameters.Values * 1.0 - before).narrow(0, at, entry.Elements).abs().max();
            Assert.True(change.item<float>() > 1e-4, $"{entry.Name} has not moved");
            at += entry.Elements;
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Loss_SameFewLatents_ComesDown(bool firstFrameGiven)
    {
        using var scope = NewDisposeScope();
        var clean = randn([3, 4, 3, 4, 6], generator: new Generator(1, CPU)) * 0.3 + 1;
        var tokenizer = new DemoTokenizer();
        IReadOnlyList<IReadOnlyList<long>> prompts =
        [
            tokenizer.Ids("a red ball", 48),
            tokenizer.Ids("a blue box moves left on green", 48),
            tokenizer.Ids("", 48),
        ];
        _trainer.Parameters.Values.requires_grad_(true);
        using var adam = new FlatAdam(_trainer.Parameters);
        var losses = new List<double>();
        for (var i = 0; i < 40; i++)
        {
            using var step = NewDisposeScope();
            var loss = _trainer.Loss(_trainer.Parameters.Open(ScalarType.Float32), clean, prompts, firstFrameGiven);
            loss.backward();
            adam.Advance(5e-3);
            losses.Add(loss.item<float>());
        }

        Assert.True(losses[^6..].Average() < 0.75 * losses[..3].Average(), string.Join(" ", losses));
    }

    /// <summary>From noise alone, a caption is all there is to tell the clips apart by.</summary>
    [Fact]
    public void Loss_FourDirections_AreTold()
    {
        using var scope = NewDisposeScope();
        var tokenizer = new DemoTokenizer();
        IReadOnlyList<IReadOnlyList<long>> prompts =
        [
            .. ((string[])["left", "right", "up", "down"]).Select(way => tokenizer.Ids($"a red ball moves {way} on green", 48)),
        ];
        for (var i = 0; i < 1500; i++)
        {
            _text.Step(4e-3, tell: false);
        }

        var clean = randn([4, 4, 1, 2, 2], generator: new Generator(1, CPU));
        using var adam = new FlatAdam(_trainer.Parameters);
        manual_seed(3);
        for (var i = 0; i < 300; i++)
        {
            using var step = NewDisposeScope();
            _trainer.Loss(_trainer.Parameters.Open(ScalarType.Float32), clean, prompts, firstFrameGiven: false).backward();
            adam.Advance(4e-3 * (1 - i / 320.0));
        }

        using var noGradients = no_grad();
        var weights = _trainer.Parameters.Open(ScalarType.Float32);
        var shape = SmallRun.Shape;
        using var model = new WanModel(weights, shape.Transformer);
        using var context = model.Embed(Encoder.EncodeBatch(prompts));
        var noise = randn([1, 4, 1, 2, 2], generator: new Generator(2, CPU)).expand(4, 4, 1, 2, 2);
        var velocity = model.Forward(noise, Timesteps.Uniform([.. Enumerable.Repeat(1000.0, 4)]), context);
        var guessed = cdist((noise - velocity).flatten(1), clean.flatten(1)).argmin(1);
        Assert.Equal([0, 1, 2, 3], guessed.data<long>().ToArray());
    }

    [Fact]
    public void Step_AfterTheFirst_LeavesNoTensorBehind()
    {
        _trainer.Step(ScalarType.Float32, 1e-3, tell: false);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        for (var i = 0; i < 3; i++)
        {
            _trainer.Refresh(0, 2);
            _trainer.Step(ScalarType.Float32, 1e-3, tell: true);
        }

        Assert.InRange(DisposeScopeManager.Statistics.ThreadTotalLiveCount, before - 5, before);
    }
}
