using RenderFarm.Jobs;

namespace RenderFarm.Simulation.Demand;

/// <summary>One video that somebody asks for, and what has become of it.</summary>
internal sealed class VideoJob(int number, Customer customer, VideoKind kind, int priority, double submittedAt)
{
    public int Number => number;

    /// <summary>Orders as the numbers do, as ids of the farm order by time.</summary>
    public string Id { get; } = $"video_{number:x32}";
    public Customer Customer => customer;
    public VideoKind Kind => kind;
    public int Priority => priority;

    /// <summary>Seconds since the simulation's begin, like all moments here.</summary>
    public double SubmittedAt => submittedAt;
    public double? TakenAt { get; set; }
    public double? EndedAt { get; set; }
    public bool Failed { get; set; }

    /// <summary>How often it was taken.</summary>
    public int Fence { get; set; }
    public Tally Tally { get; set; } = new(Failures: 0, MaxAttempts: 3, StepDowns: 0, Deaths: 0);

    /// <summary>Seconds that cards spent on it, in vain or not.</summary>
    public double CardSeconds { get; set; }

    /// <summary>The same, times the memory of each card in GiB.</summary>
    public double MemorySeconds { get; set; }
}
