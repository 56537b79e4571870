namespace RenderFarm.Hosting.Loops;

/// <summary>
/// Something that goes on beside all else for as long as the process lives. It mends no fault of its own: whatever falls out of it is told,
/// waited over and begun again by the <see cref="LoopSupervisor"/>.
/// </summary>
public interface ILoop
{
    /// <summary>What log, health and figures call it, such as <c>lease_reaper</c>; no other loop of the process has it.</summary>
    string Name { get; }

    /// <summary>As long as the pauses between two tries get while it fails.</summary>
    TimeSpan LongestPause => TimeSpan.FromSeconds(5);

    /// <summary>
    /// Ends by the token; by itself only where there is nothing to do for good. Says <see cref="LoopStanding.Well"/> whenever it
    /// has got through, for that is what ends its being degraded.
    /// </summary>
    Task RunAsync(LoopStanding standing, CancellationToken cancellationToken);
}
