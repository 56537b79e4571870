using System.Diagnostics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Rendering.Sampling;
using RenderFarm.Wan.Transformer;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>What the denoise loop runs on; owned by the caller.</summary>
/// <param name="Unconditional">Null where the guidance scale needs none.</param>
public sealed record DenoiseInput(WanModel Model, ContextCache Conditional, ContextCache? Unconditional, double GuidanceScale)
{
    /// <summary>Tokens per feed-forward chunk.</summary>
    public long FeedForwardTokens { get; init; } = long.MaxValue;
}

/// <summary>From noise to a clean latent.</summary>
public static class Denoiser
{
    /// <param name="noise">Float32 [1, C, T, h, w] on the model's device.</param>
    /// <param name="afterBlock">Called after every block; may throw to end the loop.</param>
    /// <param name="afterStep">Told the step from 1 and its seconds.</param>
    /// <returns>Float32 [1, C, T, h, w]; the caller owns it.</returns>
    public static Tensor Run(DenoiseInput input, Tensor noise, ISampler sampler, Action? afterBlock = null, Action<int, double>? afterStep = null)
    {
        using var scope = NewDisposeScope();
        var latent = noise.alias();
        for (var step = 0; step < sampler.Schedule.Steps; step++)
        {
            var started = Stopwatch.GetTimestamp();
            using var temporaries = NewDisposeScope();
            using var before = latent;
            var velocity = Velocity(input, latent, sampler.Schedule.Timesteps[step], afterBlock);
            latent = sampler.Advance(velocity, latent).MoveToOuterDisposeScope();
            // also waits for the device: a step is done when its latent is there
            if (!latent.isfinite().all().item<bool>())
                throw new RenderException(FailureReason.InvalidOutput, $"the latent holds NaN or infinite values after step {step + 1}; try another precision, or check the checkpoint");
            afterStep?.Invoke(step + 1, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        return latent.MoveToOuterDisposeScope();
    }

    /// <summary>The guided prediction: two forward passes, conditional first, mixed in float32; or one.</summary>
    private static Tensor Velocity(DenoiseInput input, Tensor latent, double timestep, Action? afterBlock)
    {
        Tensor Forward(ContextCache context) => input.Model.Forward(
            latent, Timesteps.Uniform(timestep), context, feedForwardTokens: input.FeedForwardTokens, afterBlock: (_, _) => afterBlock?.Invoke());

        var conditional = Forward(input.Conditional);
        return input.Unconditional is { } unconditional
            ? Guidance.Combine(conditional, Forward(unconditional), input.GuidanceScale)
            : conditional;
    }
}
