namespace RenderFarm.Contracts.Rendering;

/// <summary>
/// Names in a host's weight cache: <c>ROOT/MODEL/KEY.blocks</c> and its <c>.complete</c> and <c>.lock</c>. Whoever maps the
/// blocks holds the lock shared for as long; whoever writes or removes them holds it alone. The lock file's time is that of
/// the last use; it stays when the blocks go.
/// </summary>
public static class WeightCacheFiles
{
    public const string Blocks = ".blocks";

    /// <summary>Written last: without it the blocks are not whole.</summary>
    public const string Complete = ".complete";
    public const string Lock = ".lock";

    public static string CompletePath(string blocks) => blocks + Complete;

    public static string LockPath(string blocks) => blocks + Lock;
}
