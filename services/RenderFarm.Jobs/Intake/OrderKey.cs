namespace RenderFarm.Jobs.Intake;

/// <summary>
/// Start-time fair queueing over API keys. Each job is stamped with its key's virtual time, which then advances by the
/// job's estimated seconds; a key that was idle starts from the farm's virtual time (<see cref="Maintenance.FairClock"/>).
/// The lowest <c>start tag − priority × head start</c> goes first. Tags only grow, so every job's turn comes.
/// </summary>
public static class OrderKey
{
    /// <summary>How many seconds of queued work one point of priority goes past.</summary>
    public const double HeadStartSeconds = 600;

    public static double Of(double startTag, int priority) => startTag - priority * HeadStartSeconds;
}
