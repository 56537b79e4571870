namespace RenderFarm.Jobs.Persistence;

/// <summary>Who else could take a job that failed here. Statements compare the numbers.</summary>
internal enum Elsewhere
{
    Nowhere = 0,

    /// <summary>Another slot of the same worker.</summary>
    OtherSlot = 1,
    OtherWorker = 2,
}
