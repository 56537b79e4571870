namespace RenderFarm.Rendering.Sampling;

/// <summary>Samplers by the names that requests use.</summary>
public static class Samplers
{
    public static IReadOnlyList<string> Names { get; } = ["unipc", "euler", "dpm++", "distilled"];

    public static FlowSchedule Schedule(string sampler, int steps, double shift) =>
        sampler switch
        {
            "unipc" => FlowSchedule.UniPc(steps, shift),
            "euler" => FlowSchedule.Euler(steps, shift),
            "dpm++" => FlowSchedule.DpmSolver(steps, shift),
            "distilled" => FlowSchedule.Distilled(steps, shift),
            _ => throw Unknown(sampler),
        };

    public static ISampler Create(string sampler, int steps, double shift)
    {
        var schedule = Schedule(sampler, steps, shift);
        return sampler switch
        {
            "unipc" => new UniPcSampler(schedule),
            "euler" or "distilled" => new EulerSampler(schedule),
            "dpm++" => new DpmSolverSampler(schedule),
            _ => throw Unknown(sampler),
        };
    }

    private static ArgumentException Unknown(string sampler) =>
        new($"Unknown sampler '{sampler}'. Use one of: {string.Join(", ", Names)}.", nameof(sampler));
}
