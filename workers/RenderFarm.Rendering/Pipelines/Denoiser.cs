using System.Diagnostics;
using RenderFarm.Contracts.Leases;
using RenderFarm.Rendering.Caching;
using RenderFarm.Rendering.Sampling;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>What a denoise step runs on; owned by the caller.</summary>
/// <param name="Unconditional">Null where the guidance scale needs none.</param>
public sealed record DenoiseInput(WanModel Model, ContextCache Conditional, ContextCache? Unconditional, double GuidanceScale)
{
    /// <summary>Mask and latent of given frames [1, 4 + C, T, h, w], for models that have channels for them.</summary>
    public Tensor? Channels { get; init; }

    /// <summary>Tokens per feed-forward chunk.</summary>
    public long FeedForwardTokens { get; init; } = long.MaxValue;

    /// <summary>
    /// Both prompts as a batch of two, conditional first, when both branches go through one forward; they are then not run apart.
    /// </summary>
    public ContextCache? Both { get; init; }

    /// <summary>Leaves blocks out; the branches then run apart.</summary>
    public IStepCache? StepCache { get; init; }
}

/// <summary>From noise to a clean latent.</summary>
public static class Denoiser
{
    /// <summary>With the same input for every step.</summary>
    public static Tensor Run(DenoiseInput input, Tensor noise, ISampler sampler) => Run(_ => input, noise, sampler);

    /// <param name="inputOf">What the step (from 0) runs on; asked once a step, in order.</param>
    /// <param name="noise">Float32 [1, C, T, h, w] on the model's device.</param>
    /// <param name="firstLatent">[1, C, 1, h, w]: the first latent frame is this one all along, at timestep 0.</param>
    /// <param name="afterBlock">Called after every block; may throw to end the loop.</param>
    /// <param name="afterStep">Told the step from 1 and its seconds.</param>
    /// <returns>Float32 [1, C, T, h, w]; the caller owns it.</returns>
    public static Tensor Run(
        Func<int, DenoiseInput> inputOf,
        Tensor noise,
        ISampler sampler,
        Tensor? firstLatent = null,
        Action? afterBlock = null,
        Action<int, double>? afterStep = null
    )
    {
        using var scope = NewDisposeScope();
        var latent = Given(noise, firstLatent);
        for (var step = 0; step < sampler.Schedule.Steps; step++)
        {
            var input = inputOf(step); // May load an expert, which is no part of the step
            var started = Stopwatch.GetTimestamp();
            using var temporaries = NewDisposeScope();
            using var before = latent;
            var velocity = Velocity(input, step, latent, TimestepsOf(sampler.Schedule.Timesteps[step], latent, firstLatent), afterBlock);
            latent = Given(sampler.Advance(velocity, latent), firstLatent).MoveToOuterDisposeScope();
            // Also waits for the device: a step is done when its latent is there
            if (!latent.isfinite().all().item<bool>())
            {
                throw new RenderException(
                    FailureReason.InvalidOutput,
                    $"the latent holds NaN or infinite values after step {step + 1}; try another precision, or check the checkpoint"
                );
            }

            afterStep?.Invoke(step + 1, Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        return latent.MoveToOuterDisposeScope();
    }

    private static Timesteps TimestepsOf(double timestep, Tensor latent, Tensor? firstLatent) =>
        firstLatent is null
            ? Timesteps.Uniform(timestep)
            : Timesteps.FirstFrameGiven(latent.shape[3] / 2 * (latent.shape[4] / 2), timestep);

    /// <summary>The latent with its first frame put back.</summary>
    private static Tensor Given(Tensor latent, Tensor? firstLatent) =>
        firstLatent is null ? latent.alias() : cat([firstLatent, latent.narrow(2, 1, latent.shape[2] - 1)], 2);

    /// <summary>
    /// The guided prediction, mixed in float32: of two forward passes, conditional first, or of one with both branches; or
    /// unguided, of one.
    /// </summary>
    private static Tensor Velocity(DenoiseInput input, int step, Tensor latent, Timesteps timesteps, Action? afterBlock)
    {
        Tensor Forward(Tensor x, ContextCache context, GuidanceBranch branch = GuidanceBranch.Conditional) =>
            input.Model.Forward(
                x,
                timesteps,
                context,
                input.Channels?.expand(x.shape[0], -1, -1, -1, -1),
                input.FeedForwardTokens,
                afterBlock: (_, _) => afterBlock?.Invoke(),
                input.StepCache?.Forward(step, branch)
            );

        if (input.Both is { } both)
        {
            var branches = Forward(latent.expand(2, -1, -1, -1, -1), both).chunk(2, 0);
            return Guidance.Combine(branches[0], branches[1], input.GuidanceScale);
        }
        var conditional = Forward(latent, input.Conditional);
        return input.Unconditional is { } unconditional
            ? Guidance.Combine(conditional, Forward(latent, unconditional, GuidanceBranch.Unconditional), input.GuidanceScale)
            : conditional;
    }
}
