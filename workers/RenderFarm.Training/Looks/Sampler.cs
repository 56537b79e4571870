using RenderFarm.Contracts.Models;
using RenderFarm.Rendering.Sampling;
using RenderFarm.Training.Clips;
using RenderFarm.Training.Stages;
using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.Transformer;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Training.Looks;

/// <summary>Renders several prompts at once with the model's own defaults; to see how training goes.</summary>
internal sealed class Sampler(ModelShape shape, WanModel model, Umt5Encoder encoder, WanVae vae, Device device)
{
    /// <param name="prompts">Ids of each prompt.</param>
    /// <param name="nothing">Ids of the empty prompt.</param>
    /// <param name="firstFrames">Float32 [B, C, 1, h, w], or null for text to video.</param>
    /// <returns>Float32 [B, 3, F, H, W] in [0, 1], on the CPU; the caller owns it.</returns>
    public Tensor Render(
        IReadOnlyList<IReadOnlyList<long>> prompts,
        IReadOnlyList<long> nothing,
        ClipSize size,
        long seed,
        Tensor? firstFrames = null
    )
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var conditional = model.Embed(encoder.EncodeBatch(prompts));
        using var unconditional = model.Embed(encoder.EncodeBatch([.. prompts.Select(_ => nothing)]));

        var (frames, height, width) = (
            (size.Frames - 1) / VaeShape.TemporalStride + 1,
            size.Height / shape.Vae.SpatialStride,
            size.Width / shape.Vae.SpatialStride
        );
        var latent = stack(
                Enumerable
                    .Range(0, prompts.Count)
                    .Select(i => InitialNoise.Draw(seed + i, shape.Vae.LatentChannels, frames, height, width)),
                0
            )
            .to(device);
        using var sampler = Samplers.Create(shape.Defaults.Sampler, shape.Defaults.Steps, shape.Defaults.Shift);
        while (sampler.Step < sampler.Schedule.Steps)
        {
            using var step = NewDisposeScope();
            double[] times = [.. prompts.Select(_ => (double)sampler.Schedule.Timesteps[sampler.Step])];
            latent = Held(latent);
            var timesteps = firstFrames is null ? Timesteps.Uniform(times) : Timesteps.FirstFrameGiven(height / 2 * (width / 2), times);
            var velocity = Guidance.Combine(
                model.Forward(latent, timesteps, conditional),
                model.Forward(latent, timesteps, unconditional),
                shape.Defaults.GuidanceScale
            );
            latent = sampler.Advance(velocity, latent).MoveToOuterDisposeScope();
        }
        return VaeTrainer.Joined(vae.Decode(Held(latent))).cpu().add(1).div_(2).MoveToOuterDisposeScope();

        Tensor Held(Tensor x) => firstFrames is null ? x : cat([firstFrames, x.narrow(2, 1, x.shape[2] - 1)], 2);
    }
}
