namespace RenderFarm.Jobs.Loops;

/// <summary>A background duty as a single pass that can be called and counted.</summary>
public interface ISweep
{
    /// <summary>What log, health and figures call it.</summary>
    string Name { get; }

    TimeSpan Every { get; }

    /// <summary>One pass; how many rows it acted on.</summary>
    Task<int> RunOnceAsync(CancellationToken cancellationToken);
}
