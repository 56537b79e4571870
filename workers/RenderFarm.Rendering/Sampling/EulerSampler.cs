using static TorchSharp.torch;

namespace RenderFarm.Rendering.Sampling;

/// <summary>x += (sigma_next − sigma) · velocity. The choice for step-distilled models.</summary>
public sealed class EulerSampler(FlowSchedule schedule) : ISampler
{
    public FlowSchedule Schedule { get; } = schedule;
    public int Step { get; private set; }

    public Tensor Advance(Tensor velocity, Tensor latent)
    {
        if (Step == Schedule.Steps)
        {
            throw new InvalidOperationException($"All {Schedule.Steps} steps have been taken.");
        }

        var next = latent.add(velocity, alpha: Schedule.Sigmas[Step + 1] - Schedule.Sigmas[Step]);
        Step++;
        return next;
    }

    public void Dispose()
    {
        // Nothing is remembered between steps
    }
}
