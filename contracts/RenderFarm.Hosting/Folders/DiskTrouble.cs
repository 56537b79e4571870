namespace RenderFarm.Hosting.Folders;

/// <summary>
/// Faults of a disk of this host: it is full, over a quota, broken or not to be written to. Whoever sent what was to be kept has done
/// nothing wrong.
/// </summary>
public static class DiskTrouble
{
    private const int Broken = 5;
    private const int Full = 28;
    private const int ReadOnly = 30;
    private const int OverQuota = 122;

    /// <summary>By the system's own number, which faults of a network don't have.</summary>
    public static bool Is(Exception fault) => fault is IOException { HResult: Broken or Full or ReadOnly or OverQuota };
}
