using RenderFarm.Contracts.Rendering;

namespace RenderFarm.Rendering.Loading;

/// <summary>The lock of one file of prepared blocks: shared while they are mapped, alone while they are written or removed.</summary>
/// <remarks>It is the kernel's (<c>flock</c>), taken by opening, let go of by closing or by the end of the process.</remarks>
internal static class CacheLock
{
    /// <summary>Null while somebody holds it alone.</summary>
    public static IDisposable? TryShare(string blocks) => TryOpen(blocks, FileAccess.Read, FileShare.Read);

    /// <summary>Null while anybody holds it.</summary>
    public static IDisposable? TryTake(string blocks) => TryOpen(blocks, FileAccess.ReadWrite, FileShare.None);

    /// <summary>When the blocks were last used, or their making began.</summary>
    public static DateTime LastUse(string blocks) => File.GetLastWriteTimeUtc(WeightCacheFiles.LockPath(blocks));

    public static void NoteUse(string blocks) =>
        File.SetLastWriteTimeUtc(WeightCacheFiles.LockPath(blocks), TimeProvider.System.GetUtcNow().UtcDateTime);

    private static FileStream? TryOpen(string blocks, FileAccess access, FileShare share)
    {
        try
        {
            return new FileStream(WeightCacheFiles.LockPath(blocks), FileMode.OpenOrCreate, access, share);
        }
        catch (IOException fault) when (fault is not (FileNotFoundException or DirectoryNotFoundException))
        {
            return null; // Held
        }
    }
}
