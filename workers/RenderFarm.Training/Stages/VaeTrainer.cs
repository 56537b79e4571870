using System.Diagnostics;
using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Weights;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>
/// Trains the VAE on windows of clips: frames → latent → a little noise → frames. The noise is the posterior's, of one
/// width for all; with the pull of latents towards 0 it makes the decoder bear a DiT's small errors.
/// </summary>
internal sealed class VaeTrainer : IDisposable
{
    /// <summary>Standard deviation of the posterior, before latents are normalised.</summary>
    public const double Noise = 0.2;

    private const double Pull = 5e-4;

    private readonly TrainingOptions _options;
    private readonly Journal _journal;
    private readonly VaeShape _raw;
    private readonly FlatAdam _optimiser;
    private readonly WindowSource _windows;
    private readonly Random _random;

    public VaeTrainer(TrainingOptions options, Journal journal)
    {
        (_options, _journal) = (options, journal);
        _raw = RawShape(options.Shape.Vae);
        Parameters = new FlatParameters(WeightListing.Of(weights => new WanVae(weights, _raw)), options.Device);
        Parameters.Initialize(Initializer.For(options.Seed));
        Parameters.Values.requires_grad_(true);
        _optimiser = new FlatAdam(Parameters);
        _random = new Random((int)options.Seed + 17);
        _windows = new WindowSource(
            new SceneGenerator(options.Seed + 1_000),
            new ClipPainter(options.Device),
            _random,
            options.Sizes[0].Size,
            ahead: options.OnCard ? 8 : 1
        );
    }

    public FlatParameters Parameters { get; }

    public Tensor Average => _optimiser.Average;

    public int Steps => _optimiser.Step;

    private string StatePath => Path.Combine(_options.State, _options.DecoderOnly ? "decoder.safetensors" : "vae.safetensors");

    /// <summary>Latents as the convolutions make them: no statistics are known before training.</summary>
    public static VaeShape RawShape(VaeShape shape) =>
        shape with
        {
            LatentMean = [.. Enumerable.Repeat(0f, shape.LatentChannels)],
            LatentStd = [.. Enumerable.Repeat(1f, shape.LatentChannels)],
        };

    public void Run()
    {
        if (_options.DecoderOnly && !File.Exists(StatePath))
        {
            StageState.Load(Path.Combine(_options.State, "vae.safetensors"), _optimiser);
            _optimiser.BeginAgain();
        }
        var before = StageState.Load(StatePath, _optimiser);
        if (_options.DecoderOnly)
        {
            _optimiser.Freeze(IsEncoder);
        }

        _windows.Drawn = (long)Steps << 12; // A run that goes on does not see the same clips again
        var budget = new Budget(_options.VaeSeconds, before);
        var products = _options.OnCard ? Quickest() : VaeProducts.All[0];
        _journal.Say($"VAE of {Parameters.Values.numel():N0} parameters, products in {products}, from step {Steps}");
        while (!budget.IsOver)
        {
            var tell = Steps % _options.Every == 0;
            var figures = Step(products, budget.Rate(_options.VaeRate, Steps), tell, budget.Share);
            if (budget.TimeToSave())
            {
                StageState.Save(StatePath, _optimiser, budget.Spent);
            }

            if (tell)
            {
                _journal.Point(
                    "vae",
                    Steps,
                    budget.Spent,
                    ("loss", figures.Loss),
                    ("l1", figures.Error),
                    ("rms", figures.Scale),
                    ("gradient", figures.Gradient)
                );
            }
        }
        StageState.Save(StatePath, _optimiser, budget.Spent);
        _journal.Fact("vae steps", Steps);
        _journal.Fact("vae seconds", budget.Spent);
    }

    /// <summary>One step; figures are NaN unless asked for, since reading them waits for the device.</summary>
    /// <param name="share">Of the budget, what is gone: single frames come first.</param>
    public (double Loss, double Error, double Scale, double Gradient) Step(
        VaeProducts products,
        double rate,
        bool tell,
        double share = 1,
        StepParts? measured = null
    )
    {
        using var scope = NewDisposeScope();
        var parts = measured ?? StepParts.None;
        var (part, count) = NextWindow(share);
        var video = parts.Time("painting", () => _windows.Next(part, count));
        var (loss, error, scale) = parts.Time("forward", () => Loss(Parameters.Open(products.Type), video, products.FramesAsChannels));
        parts.Time("backward", () => loss.backward());
        var norm = parts.Time("optimiser", () => _optimiser.Advance(rate));
        return tell
            ? (loss.item<float>(), error.item<float>(), scale.item<float>(), norm.item<float>())
            : (double.NaN, double.NaN, double.NaN, double.NaN);
    }

    /// <param name="video">Float32 [B, 3, F, H, W] in [−1, 1].</param>
    /// <returns>What is brought down; the mean absolute error in it; the root mean square of the latent.</returns>
    public (Tensor Loss, Tensor Error, Tensor Scale) Loss(IWeights weights, Tensor video, bool framesAsChannels = false)
    {
        using var scope = NewDisposeScope();
        var vae = new WanVae(weights, _raw) { FramesAsChannels = framesAsChannels };
        var latent = Encoded(vae, video);
        var difference = Joined(vae.DecodeUnclamped(latent + randn_like(latent) * Noise)) - video;
        var error = difference.abs().mean();
        // Edges count twice: flat colours alone would be learned first and for long
        var edges =
            (
                difference.diff(dim: -1).abs().mean()
                + difference.diff(dim: -2).abs().mean()
                + (difference.shape[2] > 1 ? difference.diff(dim: 2).abs().mean() : 0)
            ) / 3;
        var square = latent.square().mean();
        var loss = error + edges + difference.square().mean();
        if (!_options.DecoderOnly)
        {
            loss = loss + square * Pull;
        }

        return (loss.MoveToOuterDisposeScope(), error.MoveToOuterDisposeScope(), square.sqrt().MoveToOuterDisposeScope());
    }

    public void Dispose()
    {
        _windows.Dispose();
        _optimiser.Dispose();
        Parameters.Dispose();
    }

    /// <summary>What latents come from: a DiT that was trained on them stays true while this does.</summary>
    private static bool IsEncoder(string name) =>
        name.StartsWith("encoder.", StringComparison.Ordinal) || name.StartsWith("conv1.", StringComparison.Ordinal);

    private Tensor Encoded(WanVae vae, Tensor video)
    {
        if (!_options.DecoderOnly)
        {
            return vae.Encode(video);
        }

        using var noGradients = no_grad();
        return vae.Encode(video);
    }

    /// <summary>Chunks as one video; they belong to no scope.</summary>
    internal static Tensor Joined(IEnumerable<Tensor> chunks)
    {
        var frames = chunks.ToList();
        var video = cat(frames, 2);
        frames.ForEach(chunk => chunk.Dispose());
        return video;
    }

    /// <summary>Which window is next, for how many clips.</summary>
    private (ClipSize Part, int Count) NextWindow(double share)
    {
        var (first, _, factor) = _options.Windows[0];
        if (share < _options.PicturesShare)
        {
            return (first with { Frames = 1 }, Math.Max(1, (int)(_options.VaeBatch * factor * 4)));
        }

        var at = _random.NextDouble() * _options.Windows.Sum(window => window.Share);
        var next = _options.Windows.FirstOrDefault(window => (at -= window.Share) < 0, _options.Windows[^1]);
        return (next.Size, Math.Max(1, (int)(_options.VaeBatch * next.Batch)));
    }

    /// <summary>Which products this card and its libraries are quickest in: small 3D convolutions differ widely.</summary>
    private VaeProducts Quickest()
    {
        var seconds = new Dictionary<VaeProducts, double>();
        foreach (var products in VaeProducts.All)
        {
            for (var i = 0; i < 3; i++)
            {
                Step(products, 1e-5, tell: true); // Libraries choose their ways
            }

            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < 4; i++)
            {
                Step(products, 1e-5, tell: true);
            }

            seconds[products] = Stopwatch.GetElapsedTime(started).TotalSeconds / 4;
            _journal.Fact($"vae step seconds in {products}", seconds[products]);
        }
        return seconds.MinBy(pair => pair.Value).Key;
    }
}
