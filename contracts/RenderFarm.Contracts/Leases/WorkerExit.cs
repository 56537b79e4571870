namespace RenderFarm.Contracts.Leases;

/// <summary>How a worker's process ends, for whoever has started it.</summary>
public static class WorkerExit
{
    /// <summary>
    /// The farm does not take this host, or takes it no more: its invitation is not good, or it was revoked. Starting it again changes
    /// nothing; another invitation does.
    /// </summary>
    public const int Refused = 3;
}
