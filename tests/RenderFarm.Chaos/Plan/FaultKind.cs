namespace RenderFarm.Chaos.Plan;

/// <summary>What can go wrong with a farm.</summary>
internal enum FaultKind
{
    KillApi,
    KillWorker,
    KillRenderer,
    KillBroker,

    /// <summary>Killed, and its data directory is gone when it comes back: every queue, every message.</summary>
    WipeBroker,
    KillDatabase,

    /// <summary>SIGSTOP to the server and all of its processes, then SIGCONT: connections stay open and say nothing.</summary>
    FreezeDatabase,

    /// <summary>Every session is ended and the next ones may only read, as after a failover to the wrong side or on a full disk.</summary>
    ReadOnlyDatabase,

    /// <summary>A DBA's statement timeout, and a session that holds the table of jobs.</summary>
    LockTable,

    /// <summary>The memory alarm: the broker takes nothing more from whoever publishes, and says so to nobody who waits.</summary>
    AlarmBroker,

    /// <summary>The gateway; objects live on in the store behind it, as they would on disks.</summary>
    KillStorage,

    /// <summary>SIGSTOP for longer than a lease, then SIGCONT: the worker wakes up in a world that has moved on.</summary>
    StopWorker,

    /// <summary>Every connection of one link is reset.</summary>
    DropConnections,

    /// <summary>Every connection of one link stays open and carries nothing any more; new ones work.</summary>
    HalfOpenConnections,
    DuplicateBells,
    ReorderBells,

    /// <summary>The disk with the worker's attempts and spool has no byte left.</summary>
    FillDisk,

    /// <summary>The worker comes back with its wall clock an hour off.</summary>
    SkewClock,

    /// <summary>
    /// The rows of the worker's lease are as they were before it was granted, as after a failover that lost its last moments: the job
    /// waits, and its next lease has the same fence.
    /// </summary>
    TakeBackLease,
}
