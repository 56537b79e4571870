using RenderFarm.Inference.Layers;
using RenderFarm.Rendering.Sampling;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Text;
using RenderFarm.Training.Weights;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>
/// Trains the DiT by flow matching on latents of the finished VAE and what the finished text encoder says of their captions.
/// One step in five gives the first frame, as TI2V does: its tokens are clean and at timestep 0.
/// </summary>
internal sealed class DenoiserTrainer : IDisposable
{
    private const double GivenShare = 0.2;
    private const double WithoutPromptShare = 0.1;
    private const int FreshEvery = 8; // Steps, after which clips are drawn anew
    private const int FirstClips = 2048;

    private readonly TrainingOptions _options;
    private readonly Journal _journal;
    private readonly WanVae _vae;
    private readonly Umt5Encoder _encoder;
    private readonly DemoTokenizer _tokenizer = new();
    private readonly FlatAdam _optimiser;
    private readonly ClipPainter _painter;
    private readonly SceneGenerator _scenes;
    private readonly Random _random;
    private readonly List<LatentPool> _pools;
    private readonly IReadOnlyList<long> _nothing;
    private long _drawn;

    /// <param name="vae">Finished, on the device; not owned.</param>
    /// <param name="encoder">Likewise.</param>
    public DenoiserTrainer(TrainingOptions options, Journal journal, WanVae vae, Umt5Encoder encoder)
    {
        (_options, _journal, _vae, _encoder) = (options, journal, vae, encoder);
        Parameters = new FlatParameters(WeightListing.Of(weights => new WanModel(weights, options.Shape.Transformer)), options.Device);
        Parameters.Initialize(Initializer.For(options.Seed));
        Parameters.Values.requires_grad_(true);
        _optimiser = new FlatAdam(Parameters);
        _painter = new ClipPainter(options.Device);
        _scenes = new SceneGenerator(options.Seed + 3_000);
        _random = new Random((int)options.Seed + 29);
        _pools =
        [
            .. options.Sizes.Select(
                (size, i) => new LatentPool(i == 0 ? options.Pool : Math.Max(options.Batch, options.Pool / 4), options.Device)
            ),
        ];
        _nothing = _tokenizer.Ids("", options.Shape.Transformer.TextLength);
    }

    public FlatParameters Parameters { get; }

    public Tensor Average => _optimiser.Average;

    public int Steps => _optimiser.Step;

    /// <summary>Clips drawn anew at a time; a CPU is slower at that than at steps.</summary>
    private int Fresh => _options.OnCard ? 64 : 8;

    private string StatePath => Path.Combine(_options.State, "denoiser.safetensors");

    public void Run()
    {
        var before = StageState.Load(StatePath, _optimiser);
        var first = Steps;
        _drawn = (long)first << 12;
        var budget = new Budget(_options.DenoiserSeconds, before);
        if (budget.IsOver)
        {
            return; // Only to be looked at
        }

        var type = _options.OnCard ? ScalarType.BFloat16 : ScalarType.Float32;
        _journal.Say($"DiT of {Parameters.Values.numel():N0} parameters, products in {type}, from step {Steps}");
        for (var i = 0; i < _pools.Count; i++)
        {
            var enough = Math.Min(_options.Pool, i == 0 ? FirstClips : FirstClips / 4);
            while (_pools[i].Count < enough)
            {
                Refresh(i, Math.Min(Fresh, enough - _pools[i].Count));
            }
        }
        _journal.Say($"latents: {string.Join(", ", _options.Sizes.Zip(_pools).Select(p => $"{p.First.Size} {p.Second.Count}"))}");
        while (!budget.IsOver)
        {
            if (Steps % FreshEvery == 0)
            {
                Refresh(Pick(_random), Fresh);
            }

            var tell = Steps % _options.Every == 0;
            var figures = Step(type, budget.Rate(_options.DenoiserRate, Steps), tell);
            if (budget.TimeToSave())
            {
                StageState.Save(StatePath, _optimiser, budget.Spent);
            }

            if (tell)
            {
                _journal.Point(
                    "denoiser",
                    Steps,
                    budget.Spent,
                    ("loss", figures.Loss),
                    ("gradient", figures.Gradient),
                    ("pool", _pools[0].Count)
                );
            }
        }
        StageState.Save(StatePath, _optimiser, budget.Spent);
        _journal.Fact("clips drawn", _drawn - ((long)first << 12));
        _journal.Fact("denoiser steps", Steps);
        _journal.Fact("denoiser seconds", budget.Spent);
    }

    /// <summary>One step on a batch of one size; figures are NaN unless asked for.</summary>
    public (double Loss, double Gradient) Step(ScalarType type, double rate, bool tell, StepParts? measured = null)
    {
        using var scope = NewDisposeScope();
        var parts = measured ?? StepParts.None;
        var pool = _pools[Pick(_random)];
        var (clean, drawn) = parts.Time("latents", () => pool.Draw(_random, _options.Batch));
        var prompts = Said(drawn);
        var given = _random.NextDouble() < GivenShare;
        var loss = parts.Time("forward", () => Loss(Parameters.Open(type), clean, prompts, given));
        parts.Time("backward", () => loss.backward());
        var norm = parts.Time("optimiser", () => _optimiser.Advance(rate));
        return tell ? (loss.item<float>(), norm.item<float>()) : (double.NaN, double.NaN);
    }

    /// <summary>Mean square error of the velocity, noise − clean.</summary>
    /// <param name="clean">Float32 [B, C, T, h, w].</param>
    public Tensor Loss(IWeights weights, Tensor clean, IReadOnlyList<IReadOnlyList<long>> prompts, bool firstFrameGiven)
    {
        using var scope = NewDisposeScope();
        var b = clean.shape[0];
        var sigmas = Sigmas((int)b);
        var sigma = tensor(sigmas.Select(s => (float)s).ToArray(), device: clean.device).view(b, 1, 1, 1, 1);
        var noise = randn_like(clean);
        var noisy = clean + (noise - clean) * sigma;
        var target = noise - clean;
        double[] timesteps = [.. sigmas.Select(s => s * FlowSchedule.TrainTimesteps)];
        var times = Timesteps.Uniform(timesteps);
        if (firstFrameGiven)
        {
            noisy = cat([clean.narrow(2, 0, 1), noisy.narrow(2, 1, noisy.shape[2] - 1)], 2);
            times = Timesteps.FirstFrameGiven(clean.shape[3] / 2 * (clean.shape[4] / 2), timesteps);
        }
        using var model = new WanModel(weights, _options.Shape.Transformer);
        using var context = model.Embed(Encoded(prompts));
        var error = model.Forward(noisy, times, context) - target;
        if (firstFrameGiven)
        {
            error = error.narrow(2, 1, error.shape[2] - 1);
        }

        return error.square().mean().MoveToOuterDisposeScope();
    }

    private Tensor Encoded(IReadOnlyList<IReadOnlyList<long>> prompts)
    {
        using var noGradients = no_grad();
        return _encoder.EncodeBatch(prompts);
    }

    /// <summary>Draws clips and keeps their latents.</summary>
    public void Refresh(int pool, int count, StepParts? measured = null)
    {
        var parts = measured ?? StepParts.None;
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var batch = Enumerable.Range(0, count).Select(_ => _scenes.Draw(_drawn++, _options.Sizes[pool].Size)).ToList();
        var clips = parts.Time("clips painted", () => _painter.Paint(batch));
        _pools[pool].Add(parts.Time("clips encoded", () => _vae.Encode(clips)), batch);
    }

    /// <summary>
    /// Every time in other words, and some left without any. On a card, words take as long as the step, unless all cores find
    /// them.
    /// </summary>
    private List<IReadOnlyList<long>> Said(IReadOnlyList<Scene> drawn)
    {
        var asked = drawn
            .Select(scene => (Scene: scene, Words: _random.NextDouble() < WithoutPromptShare ? (int?)null : _random.Next()))
            .ToList();
        return
        [
            .. asked
                .AsParallel()
                .AsOrdered()
                .Select(ask =>
                    ask.Words is { } seed ? _tokenizer.Ids(Captions.Of(ask.Scene, seed), _options.Shape.Transformer.TextLength) : _nothing
                ),
        ];
    }

    public void Dispose()
    {
        _pools.ForEach(pool => pool.Dispose());
        _optimiser.Dispose();
        Parameters.Dispose();
    }

    /// <summary>One in each of n equal parts of the schedule, warped as sampling warps it.</summary>
    private double[] Sigmas(int count) =>
        [
            .. Enumerable
                .Range(0, count)
                .Select(i => FlowSchedule.Shifted((i + _random.NextDouble()) / count, _options.Shape.Defaults.Shift)),
        ];

    private int Pick(Random from)
    {
        var at = from.NextDouble() * _options.Sizes.Sum(s => s.Share);
        for (var i = 0; i < _options.Sizes.Count - 1; i++)
        {
            if ((at -= _options.Sizes[i].Share) < 0)
            {
                return i;
            }
        }
        return _options.Sizes.Count - 1;
    }
}
