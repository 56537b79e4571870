using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Hosting.Folders;
using RenderFarm.Inference.BlockStreaming;

namespace RenderFarm.Rendering.Loading;

/// <summary>
/// Prepared blocks for a render. With a cache folder they stay there for the next process; without one they lie in shared
/// memory without a name, so that no end of the process leaves them behind.
/// </summary>
/// <remarks>
/// Renderers of one host share the cache. Blocks are prepared by one of them at a time, under the lock of
/// <see cref="WeightCacheFiles"/>; the others wait for it and then map the same memory. The kernel lets go of a lock with
/// its process, however that ends, so nobody waits for a renderer that is gone.
/// </remarks>
/// <param name="cache">This model's folder in the cache, or null.</param>
/// <param name="limitBytes">What the folders of all models may take together, older weights giving way; null: none is touched.</param>
/// <param name="disks">Null: those of this host.</param>
/// <param name="held">What this process has mapped already.</param>
public sealed class PreparedStore(string? cache, long? limitBytes = null, FreeSpace? disks = null, HeldBlocks? held = null)
{
    private static readonly string SharedMemory = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
    private const int LookAgainMilliseconds = 100;
    private readonly FreeSpace _disks = disks ?? FreeSpace.OfDisks;

    /// <param name="key">Says which blocks they are and in which format; fit for a file name.</param>
    /// <param name="filler">Writes the blocks where they are not there.</param>
    /// <param name="waiting">Called while another renderer prepares the same blocks; may throw to end the wait.</param>
    /// <param name="hold">They will be asked for again in this process.</param>
    public PreparedBlocks Get(
        string key,
        BlockLayout layout,
        int count,
        BlockFiller filler,
        Action? waiting = null,
        bool hold = false
    )
    {
        if (cache is null)
        {
            RequireRoom(SharedMemory, layout.Bytes * count);
            return PreparedBlocks.CreateUnnamed(SharedMemory, layout, count, filler);
        }
        var path = Path.Combine(cache, key + WeightCacheFiles.Blocks);
        Directory.CreateDirectory(cache);
        using var pause = new ManualResetEventSlim();
        while (true)
        {
            if (TryOpen(path, layout, count) is { } ready)
            {
                if (hold)
                {
                    held?.Keep(path, ready);
                }

                return ready;
            }

            if (CacheLock.TryTake(path) is { } alone)
            {
                using (alone)
                {
                    CreateUnlessThere(path, layout, count, filler);
                }

                continue; // Mapped under a shared lock, by which everybody else sees that it is in use
            }
            waiting?.Invoke();
            pause.Wait(LookAgainMilliseconds);
        }
    }

    private PreparedBlocks? TryOpen(string path, BlockLayout layout, int count)
    {
        if (held?.Find(path, layout, count) is { } near)
        {
            CacheLock.NoteUse(path);
            return near;
        }

        if (CacheLock.TryShare(path) is not { } shared)
        {
            return null;
        }

        if (PreparedBlocks.Open(path, layout, count, shared) is not { } ready)
        {
            shared.Dispose();
            return null;
        }
        CacheLock.NoteUse(path);
        return ready;
    }

    private void CreateUnlessThere(string path, BlockLayout layout, int count, BlockFiller filler)
    {
        using var there = PreparedBlocks.Open(path, layout, count);
        if (there is not null)
        {
            return; // Somebody finished it between the two locks
        }

        Remove(path); // Of another layout, or never finished
        if (limitBytes is { } limit)
        {
            held?.LetGo(); // They may be what has to give way
            CacheRoom.Make(Path.GetDirectoryName(Path.GetFullPath(path))!, layout.Bytes * count, limit, _disks);
        }

        RequireRoom(cache!, layout.Bytes * count);
        try
        {
            PreparedBlocks.Create(path, layout, count, filler).Dispose();
        }
        catch
        {
            Remove(path);
            throw;
        }
    }

    /// <summary>In words; what another process takes between this look and the file's making ends as a full disk.</summary>
    private void RequireRoom(string folder, long bytes)
    {
        var free = _disks.BytesFor(folder);
        if (free < bytes)
        {
            throw new RenderException(
                FailureReason.HostOutOfMemory,
                $"prepared weights take {bytes:N0} bytes and {folder} has {free:N0} free; enlarge it (mount -o remount,size=… {folder}) or "
                    + "choose a smaller model"
            )
            {
                RequestedBytes = bytes,
                FreeBytes = free,
            };
        }
    }

    internal static void Remove(string path)
    {
        File.Delete(PreparedBlocks.MarkerPath(path)); // First: blocks without it count as unfinished
        File.Delete(path);
    }
}
