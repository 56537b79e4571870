using static TorchSharp.torch;

namespace RenderFarm.Rendering.Sampling;

/// <summary>
/// DPM-Solver++ (2M) in its midpoint form (Lu et al. 2022, algorithm 2) on x0 predictions. The first and the last
/// step are of first order: before the first there is no history, and the last lands on sigma 0.
/// </summary>
public sealed class DpmSolverSampler(FlowSchedule schedule) : ISampler
{
    private Tensor? _previous; // x0 prediction of the step before

    public FlowSchedule Schedule { get; } = schedule;
    public int Step { get; private set; }

    public Tensor Advance(Tensor velocity, Tensor latent)
    {
        if (Step == Schedule.Steps)
        {
            throw new InvalidOperationException($"All {Schedule.Steps} steps have been taken.");
        }

        using var scope = NewDisposeScope();
        var sigmas = Schedule.Sigmas;
        var step = FlowStep.Between(sigmas[Step], sigmas[Step + 1]);
        var current = latent.add(velocity, alpha: -sigmas[Step]);
        var next = latent * step.Decay + current * step.Gain;
        // The step from pure noise has infinite length: seen from step 1 the slope towards it is zero.
        if (_previous is not null && Step < Schedule.Steps - 1 && sigmas[Step - 1] < 1)
        {
            var ratio = (FlowStep.Lambda(sigmas[Step]) - FlowStep.Lambda(sigmas[Step - 1])) / step.H;
            next += (current - _previous) * (0.5 * step.Gain / ratio);
        }

        _previous?.Dispose();
        _previous = current.DetachFromDisposeScope();
        Step++;
        return next.MoveToOuterDisposeScope();
    }

    public void Dispose() => _previous?.Dispose();
}
