using RenderFarm.Contracts.Models;
using RenderFarm.Training.Clips;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>What a run trains, on what, and for how long.</summary>
internal sealed record TrainingOptions
{
    public required ModelShape Shape { get; init; }
    public required Device Device { get; init; }

    /// <summary>Where weights, curves and pictures go.</summary>
    public required string Output { get; init; }

    /// <summary>Where a stage leaves what it can be taken up from again.</summary>
    public required string State { get; init; }

    /// <summary>Where curves and figures go, in <see cref="Output"/>: a stage that is run alone leaves those of others alone.</summary>
    public string Curves { get; init; } = "curves.json";
    public long Seed { get; init; } = TrainingDefaults.Seed;
    public double VaeSeconds { get; init; } = TrainingDefaults.VaeSeconds;
    public double TextSeconds { get; init; } = TrainingDefaults.TextSeconds;
    public double DenoiserSeconds { get; init; } = TrainingDefaults.DenoiserSeconds;

    /// <summary>The VAE is finished but for its decoder, which learns on.</summary>
    public bool DecoderOnly { get; init; }

    /// <summary>Clips of one step of the DiT.</summary>
    public int Batch { get; init; } = TrainingDefaults.Batch;

    /// <summary>Windows of one step of the VAE.</summary>
    public int VaeBatch { get; init; } = TrainingDefaults.VaeBatch;

    /// <summary>Captions of one step of the text encoder.</summary>
    public int TextBatch { get; init; } = 128;

    public double VaeRate { get; init; } = TrainingDefaults.VaeRate;
    public double TextRate { get; init; } = 2e-3;
    public double DenoiserRate { get; init; } = TrainingDefaults.DenoiserRate;

    /// <summary>Latents kept of the main size; clips are drawn anew all the time and replace the oldest.</summary>
    public int Pool { get; init; } = 24_576;

    /// <summary>Steps between two lines of the journal.</summary>
    public int Every { get; init; } = 50;

    /// <summary>Sizes that the DiT sees, and how often; the first is the one that is measured.</summary>
    public IReadOnlyList<(ClipSize Size, double Share)> Sizes { get; init; } = [(new(128, 96, 13), 1)];

    /// <summary>Share of the VAE's seconds at the start in which it sees single frames of the first window, four times as many.</summary>
    public double PicturesShare { get; init; } = 0.25;

    /// <summary>
    /// Windows that the VAE sees, and how often, with a factor on the batch. Long ones keep colours from drifting from chunk to
    /// chunk, wide ones are for the attention over a whole frame.
    /// </summary>
    public IReadOnlyList<(ClipSize Size, double Share, double Batch)> Windows { get; init; } =
    [(new(48, 48, 9), 0.7, 1), (new(64, 64, 13), 0.15, 0.4), (new(128, 96, 9), 0.15, 0.2)];

    /// <summary>Captions measured at the end.</summary>
    public int Looks { get; init; } = 64;

    public bool OnCard => Device.type == DeviceType.CUDA;
}
