using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Rendering.Loading;

/// <summary>Makes room in a host's weight cache: what was used longest ago goes first, what is in use stays.</summary>
public static class CacheRoom
{
    /// <summary>Removes blocks of any model until <paramref name="bytes"/> more fit under the limit and into the file system.</summary>
    /// <param name="folder">One model's; the others lie beside it.</param>
    /// <exception cref="RenderException">Even without all that is not in use they would go over the limit.</exception>
    public static void Make(string folder, long bytes, long limitBytes, FreeSpace disks)
    {
        var root = Path.GetDirectoryName(folder)!;
        foreach (var oldest in Blocks(root).OrderBy(CacheLock.LastUse).ThenBy(path => path, StringComparer.Ordinal).ToList())
        {
            if (Used(root) + bytes <= limitBytes && disks.BytesFor(root) >= bytes)
            {
                return;
            }

            using var alone = CacheLock.TryTake(oldest);
            if (alone is not null)
            {
                PreparedStore.Remove(oldest);
            }
        }
        var used = Used(root);
        if (used + bytes > limitBytes)
        {
            throw new RenderException(
                FailureReason.HostOutOfMemory,
                $"prepared weights take {bytes:N0} bytes more, {used:N0} are in use and {limitBytes:N0} allowed; raise "
                    + "Worker:WeightCacheGigabytes or run fewer models at a time"
            )
            {
                RequestedBytes = bytes,
                FreeBytes = Math.Max(0, limitBytes - used),
            };
        }
    }

    private static IEnumerable<string> Blocks(string root) =>
        Directory.EnumerateDirectories(root).SelectMany(model => Directory.EnumerateFiles(model, "*" + WeightCacheFiles.Blocks));

    private static long Used(string root) => Blocks(root).Sum(path => File.Exists(path) ? new FileInfo(path).Length : 0);
}
