using System.Globalization;
using RenderFarm.Contracts.Leases;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Rendering.Loading;

/// <summary>
/// Prepared blocks for a render. With a cache folder they stay there for the next process; without one they lie in shared
/// memory under a name that is gone as soon as they are mapped, so that no end of the process leaves them behind.
/// </summary>
/// <param name="cache">A folder in shared memory, or null.</param>
public sealed class PreparedStore(string? cache)
{
    private const string SharedMemory = "/dev/shm";

    /// <param name="key">Says which blocks they are and in which format; fit for a file name.</param>
    /// <param name="fill">Writes one block to the address given.</param>
    public PreparedBlocks Get(string key, BlockLayout layout, int count, Action<int, nint> fill)
    {
        if (cache is null) return Temporary(key, layout, count, fill);
        string path = Path.Combine(cache, key + ".blocks");
        if (PreparedBlocks.Open(path, layout, count) is { } ready) return ready;
        Directory.CreateDirectory(cache);
        // a second renderer that needs the same blocks meanwhile makes its own: it must not write into a mapped file
        using var hold = TryHold(path + ".lock");
        if (hold is null) return Temporary(key, layout, count, fill);
        return PreparedBlocks.Open(path, layout, count) ?? Create(path, layout, count, fill);
    }

    private static PreparedBlocks Temporary(string key, BlockLayout layout, int count, Action<int, nint> fill)
    {
        string folder = Directory.Exists(SharedMemory) ? SharedMemory : Path.GetTempPath();
        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"renderfarm-{Environment.ProcessId}-{key}.blocks"));
        var blocks = Create(path, layout, count, fill);
        Remove(path);
        return blocks;
    }

    private static PreparedBlocks Create(string path, BlockLayout layout, int count, Action<int, nint> fill)
    {
        RequireRoom(Path.GetDirectoryName(Path.GetFullPath(path))!, layout.Bytes * count);
        try
        {
            return PreparedBlocks.Create(path, layout, count, fill);
        }
        catch
        {
            Remove(path);
            throw;
        }
    }

    /// <summary>Writing to a mapping that the file system has no room for ends the process without an exception.</summary>
    private static void RequireRoom(string folder, long bytes)
    {
        long free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < bytes)
            throw new RenderException(FailureReason.HostOutOfMemory,
                $"prepared weights take {bytes:N0} bytes and {folder} has {free:N0} free; enlarge it (mount -o remount,size=… {folder}) or choose a smaller model")
            { RequestedBytes = bytes, FreeBytes = free };
    }

    private static FileStream? TryHold(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null; // held by another renderer
        }
    }

    private static void Remove(string path)
    {
        File.Delete(path);
        File.Delete(PreparedBlocks.MarkerPath(path));
    }
}
