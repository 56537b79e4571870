using RenderFarm.Contracts.Models;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Weights;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>
/// Every Wan VAE is published with the mean and deviation of its latent channels. Here it is the other way round: the two
/// 1 × 1 × 1 convolutions at the latent are scaled so that the published figures become true of this VAE, and any program
/// that has them built in reads it.
/// </summary>
internal static class LatentStatistics
{
    /// <summary>Mean and deviation of each channel over whole clips, [C] each, on the CPU.</summary>
    public static (Tensor Mean, Tensor Deviation) Measure(FlatParameters parameters, Tensor values, TrainingOptions options, int clips)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var vae = new WanVae(parameters.Open(values, ScalarType.Float32), VaeTrainer.RawShape(options.Shape.Vae));
        var painter = new ClipPainter(options.Device);
        var scenes = new SceneGenerator(options.Seed + 2_000);
        var latents = new List<Tensor>();
        for (var at = 0; at < clips; at += 8)
        {
            using var piece = NewDisposeScope();
            var batch = Enumerable.Range(at, Math.Min(8, clips - at)).Select(i => scenes.Draw(i, options.Sizes[0].Size)).ToList();
            latents.Add(vae.Encode(painter.Paint(batch)).MoveToOuterDisposeScope());
        }
        var all = cat(latents, 0);
        return (
            all.mean([0, 2, 3, 4]).cpu().MoveToOuterDisposeScope(),
            all.std([0, 2, 3, 4]).clamp(min: 1e-3).cpu().MoveToOuterDisposeScope()
        );
    }

    /// <summary>The tensors of the VAE, by name, with the two convolutions changed; on the CPU, in the caller's dispose scope.</summary>
    public static Dictionary<string, Tensor> Folded(
        IReadOnlyDictionary<string, Tensor> tensors,
        VaeShape shape,
        Tensor mean,
        Tensor deviation
    )
    {
        var folded = new Dictionary<string, Tensor>(tensors);
        var channels = shape.LatentChannels;
        var publishedMean = tensor(shape.LatentMean.ToArray());
        var publishedDeviation = tensor(shape.LatentStd.ToArray());
        var scale = publishedDeviation / deviation;

        // encoder's end: mean rows scaled and shifted; the log-variance is one constant a channel
        var (weight, bias) = (tensors["conv1.weight"], tensors["conv1.bias"]);
        folded["conv1.weight"] = cat(
            [weight.narrow(0, 0, channels) * scale.view(-1, 1, 1, 1, 1), zeros_like(weight.narrow(0, channels, channels))],
            0
        );
        folded["conv1.bias"] = cat([(bias.narrow(0, 0, channels) - mean) * scale + publishedMean, 2 * (scale * VaeTrainer.Noise).log()], 0);

        // decoder's start: the reverse
        folded["conv2.weight"] = tensors["conv2.weight"] / scale.view(1, -1, 1, 1, 1);
        folded["conv2.bias"] =
            tensors["conv2.bias"] + tensors["conv2.weight"].flatten(1).matmul((mean - publishedMean / scale).unsqueeze(1)).squeeze(1);
        return folded;
    }
}
