using RenderFarm.Contracts.Rendering;
using RenderFarm.Inference.BlockStreaming;

namespace RenderFarm.Rendering.Loading;

/// <summary>What was found of one file of prepared blocks.</summary>
/// <param name="Damage">What is wrong with it; null when it is whole.</param>
/// <param name="Removed">It was damaged, and is gone: the next renderer that needs it makes it anew.</param>
public sealed record CacheFinding(string Path, long Bytes, string? Damage, bool Removed);

/// <summary>Reads every file of a host's weight cache against its checksums.</summary>
public static class CacheInspection
{
    /// <param name="repair">Remove what is damaged or was never finished, unless somebody is at work on it.</param>
    public static IEnumerable<CacheFinding> Of(string root, bool repair)
    {
        if (!Directory.Exists(root))
        {
            yield break;
        }

        foreach (
            var path in Directory
                .EnumerateDirectories(root)
                .SelectMany(model => Directory.EnumerateFiles(model, "*" + WeightCacheFiles.Blocks))
                .Order(StringComparer.Ordinal)
                .ToList()
        )
        {
            using var shared = CacheLock.TryShare(path);
            if (shared is null || !File.Exists(path))
            {
                continue; // Being made, or gone meanwhile
            }

            var bytes = new FileInfo(path).Length;
            var damage = PreparedBlocks.Damage(path);
            var removed = false;
            if (damage is not null && repair)
            {
                shared.Dispose();
                using var alone = CacheLock.TryTake(path);
                removed = alone is not null;
                if (removed)
                {
                    PreparedStore.Remove(path);
                }
            }
            yield return new CacheFinding(path, bytes, damage, removed);
        }
    }
}
