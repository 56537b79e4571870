using RenderFarm.Inference.Layers;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Text;
using RenderFarm.Training.Weights;
using RenderFarm.Wan.TextEncoder;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>
/// Trains the text encoder alone, on captions without clips: each row of its output has to answer every question on the scene.
/// An answer is a direction, of length 1 and drawn once for all, and the row has to go far along the right ones; how frequent
/// an answer is stands beside. Directions that could learn as well would grow long instead, rows of different captions would
/// stay nearly the same, and a DiT would take thousands of steps to hear a word; as it is, most of what a row holds is what
/// the caption says, "red on green" is far from "green on red", and any row of it will do.
/// </summary>
internal sealed class TextTrainer : IDisposable
{
    /// <summary>Scope of the encoder's own tensors among the parameters.</summary>
    public const string Encoder = "text";

    private readonly TrainingOptions _options;
    private readonly Journal _journal;
    private readonly DemoTokenizer _tokenizer = new();
    private readonly FlatAdam _optimiser;
    private readonly SceneGenerator _scenes;
    private readonly Random _random;
    private readonly Tensor _directions; // [all choices, dim]

    public TextTrainer(TrainingOptions options, Journal journal)
    {
        (_options, _journal) = (options, journal);
        Parameters = new FlatParameters(
            WeightListing.Of(weights => (new Umt5Encoder(weights.Scope(Encoder), options.Shape.TextEncoder), Frequencies(weights))),
            options.Device
        );
        Parameters.Initialize(Initializer.For(options.Seed));
        Parameters.Values.requires_grad_(true);
        _optimiser = new FlatAdam(Parameters);
        _scenes = new SceneGenerator(options.Seed + 2_000);
        _random = new Random((int)options.Seed + 23);
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)options.Seed + 24, CPU);
        var drawn = randn(SceneQuestions.Choices.Sum(), options.Shape.TextEncoder.Dim, generator: generator);
        _directions = (drawn / drawn.norm(1, keepdim: true)).to(options.Device).DetachFromDisposeScope();
    }

    public FlatParameters Parameters { get; }

    public Tensor Average => _optimiser.Average;

    private string StatePath => Path.Combine(_options.State, "text.safetensors");

    public void Run()
    {
        var budget = new Budget(_options.TextSeconds, StageState.Load(StatePath, _optimiser));
        _journal.Say($"text encoder of {Parameters.Values.numel():N0} parameters, from step {_optimiser.Step}");
        while (!budget.IsOver)
        {
            var tell = _optimiser.Step % _options.Every == 0;
            var (loss, right) = Step(budget.Rate(_options.TextRate, _optimiser.Step), tell);
            if (budget.TimeToSave())
            {
                StageState.Save(StatePath, _optimiser, budget.Spent);
            }

            if (tell)
            {
                _journal.Point("text", _optimiser.Step, budget.Spent, ("loss", loss), ("right", right));
            }
        }
        StageState.Save(StatePath, _optimiser, budget.Spent);
        _journal.Fact("text steps", _optimiser.Step);
        _journal.Fact("text seconds", budget.Spent);
        _journal.Fact("text held-out captions read right", HeldOutShare());
    }

    /// <summary>One step; figures are NaN unless asked for: the loss, and the share of right answers.</summary>
    public (double Loss, double Right) Step(double rate, bool tell)
    {
        using var scope = NewDisposeScope();
        var drawn = Enumerable
            .Range(0, _options.TextBatch)
            .Select(i => _scenes.Draw((long)_optimiser.Step * _options.TextBatch + i, _options.Sizes[0].Size))
            .ToList();
        var (said, right) = Read(
            Parameters.Open(ScalarType.Float32),
            [.. drawn.Select(scene => Captions.Of(scene, _random.Next()))],
            [.. drawn.Select(SceneQuestions.Answers)]
        );
        var loss = SceneQuestions.Loss(said, right);
        loss.backward();
        _optimiser.Advance(rate);
        return tell
            ? (loss.item<float>(), SceneQuestions.AreRight(said, right).to(ScalarType.Float32).mean().item<float>())
            : (double.NaN, double.NaN);
    }

    /// <summary>Of captions that training never sees, how many are read without a mistake from every row.</summary>
    public double HeldOutShare()
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var weights = Parameters.Open(Average, ScalarType.Float32);
        return HeldOutQuestions
            .Draw(200, seed: 5)
            .Average(question =>
            {
                var (said, right) = Read(weights, [question.Caption], [SceneQuestions.Answers(question.Kind, question.Background)]);
                return SceneQuestions.AreRight(said, right).all().item<bool>() ? 1.0 : 0;
            });
    }

    public void Dispose()
    {
        _directions.Dispose();
        _optimiser.Dispose();
        Parameters.Dispose();
    }

    /// <summary>Rows of all captions, without padding: what each says, and what is right.</summary>
    private (Tensor Said, Tensor Right) Read(IWeights weights, IReadOnlyList<string> captions, IReadOnlyList<IReadOnlyList<int>> answers)
    {
        IReadOnlyList<IReadOnlyList<long>> prompts =
        [
            .. captions.Select(caption => _tokenizer.Ids(caption, _options.Shape.Transformer.TextLength)),
        ];
        var rows = new Umt5Encoder(weights.Scope(Encoder), _options.Shape.TextEncoder).EncodeBatch(prompts);
        var longest = rows.shape[1];
        long[] places = [.. prompts.SelectMany((ids, prompt) => Enumerable.Range(0, ids.Count).Select(i => prompt * longest + i))];
        long[] right =
        [
            .. prompts
                .SelectMany((ids, prompt) => Enumerable.Repeat(answers[prompt], ids.Count))
                .SelectMany(row => row)
                .Select(answer => (long)answer),
        ];
        var said =
            rows.flatten(0, 1).index_select(0, tensor(places, device: _options.Device)).matmul(_directions.t()) + Frequencies(weights);
        return (said, tensor(right, [places.Length, SceneQuestions.Choices.Count], device: _options.Device));
    }

    /// <summary>Learned, and thrown away in the end.</summary>
    private static Tensor Frequencies(IWeights weights) => weights.Tensor("frequencies.bias", SceneQuestions.Choices.Sum());
}
