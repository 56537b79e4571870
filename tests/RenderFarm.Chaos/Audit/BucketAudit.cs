using System.Text.Json;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Json;

namespace RenderFarm.Chaos.Audit;

/// <summary>The bucket against the rows, both ways: every promised object is there and whole, and nothing else is.</summary>
internal sealed class BucketAudit(IArtifactStore store)
{
    public async Task<IReadOnlyList<Finding>> RunAsync(IReadOnlyDictionary<string, JobRow> rows, CancellationToken cancellationToken)
    {
        var promised = rows
            .Values.Where(row => row is { State: "completed", Deleted: false, Artifacts: not null })
            .SelectMany(row => JsonSerializer.Deserialize(row.Artifacts!, ContractsJson.Default.ArtifactArray)!)
            .ToDictionary(artifact => artifact.Key);
        var stored = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var found in store.ListAsync("", cancellationToken))
        {
            stored.Add(found.Key);
        }

        var damaged = new List<string>();
        foreach (var artifact in promised.Values.Where(artifact => stored.Contains(artifact.Key)))
        {
            if (
                await store.StatAsync(artifact.Key, cancellationToken) is not { } stat
                || stat.SizeBytes != artifact.SizeBytes
                || stat.Sha256 != artifact.Sha256
            )
            {
                damaged.Add(artifact.Key);
            }
        }

        var manifests = promised
            .Keys.Select(key => ObjectKeys.TryParseLease(key, out var lease) ? ObjectKeys.Manifest(lease) : key)
            .ToHashSet(StringComparer.Ordinal);
        return
        [
            new("every result has its manifest", manifests.Count, [.. manifests.Where(key => !stored.Contains(key))]),
            new("every promised object is there", promised.Count, [.. promised.Keys.Where(key => !stored.Contains(key))]),
            new("promised objects have their size and checksum", promised.Count, damaged),
            new(
                "no object is unreferenced after the janitor",
                stored.Count,
                [.. stored.Where(key => !promised.ContainsKey(key) && !manifests.Contains(key))]
            ),
        ];
    }
}
