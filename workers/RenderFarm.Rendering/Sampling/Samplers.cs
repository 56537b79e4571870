using RenderFarm.Contracts.Models;

namespace RenderFarm.Rendering.Sampling;

/// <summary>What each sampler that a request can name is made of.</summary>
public static class Samplers
{
    public static FlowSchedule Schedule(Sampler sampler, int steps, double shift) =>
        sampler switch
        {
            Sampler.UniPc => FlowSchedule.UniPc(steps, shift),
            Sampler.Euler => FlowSchedule.Euler(steps, shift),
            Sampler.DpmPlusPlus => FlowSchedule.DpmSolver(steps, shift),
            Sampler.Distilled => FlowSchedule.Distilled(steps, shift),
            _ => throw new ArgumentOutOfRangeException(nameof(sampler), sampler, "a sampler without a schedule"),
        };

    public static ISampler Create(Sampler sampler, int steps, double shift)
    {
        var schedule = Schedule(sampler, steps, shift);
        return sampler switch
        {
            Sampler.UniPc => new UniPcSampler(schedule),
            Sampler.Euler or Sampler.Distilled => new EulerSampler(schedule),
            Sampler.DpmPlusPlus => new DpmSolverSampler(schedule),
            _ => throw new ArgumentOutOfRangeException(nameof(sampler), sampler, "a sampler without code"),
        };
    }
}
