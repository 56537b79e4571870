namespace RenderFarm.Jobs;

/// <summary>How a lease ended.</summary>
public enum LeaseEnding
{
    Completed,
    Failed,

    /// <summary>Handed back by the worker; no attempt burnt.</summary>
    Released,

    /// <summary>It ran out: the worker vanished. Reports under its fence are refused.</summary>
    Lost,
}
