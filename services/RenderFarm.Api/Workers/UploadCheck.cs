using RenderFarm.Api.Errors;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Api.Workers;

/// <summary>What a worker says it uploaded is there, whole, and under its own lease, before a video is called completed.</summary>
internal static class UploadCheck
{
    /// <summary>A report of another lease's objects is wrong whatever has become of the lease.</summary>
    /// <exception cref="ApiErrorException">400 <c>invalid_value</c> naming the artifact.</exception>
    public static void RequireOwnKeys(LeaseName lease, IReadOnlyList<Artifact> artifacts)
    {
        for (var i = 0; i < artifacts.Count; i++)
        {
            // Exactly this key: anything else under the prefix might lead out of it again.
            var key = ObjectKeys.For(artifacts[i].Kind, lease);
            if (artifacts[i].Key != key)
            {
                throw Wrong($"artifacts[{i}].key", $"is '{artifacts[i].Key}'; this lease's is '{key}'");
            }
        }
    }

    /// <exception cref="ApiErrorException">400 <c>invalid_value</c> naming the artifact and what differs.</exception>
    public static async Task VerifyAsync(
        IArtifactStore store,
        IReadOnlyList<Artifact> artifacts,
        CancellationToken cancellationToken
    )
    {
        if (artifacts.All(artifact => artifact.Kind != ArtifactKind.Video))
        {
            throw Wrong("artifacts", "there is no artifact of kind 'video'");
        }

        for (var i = 0; i < artifacts.Count; i++)
        {
            var (field, said) = ($"artifacts[{i}]", artifacts[i]);
            var stored = await store.StatAsync(said.Key, cancellationToken)
                ?? throw Wrong(field + ".key", $"there is no object '{said.Key}'");
            if (stored.SizeBytes != said.SizeBytes)
            {
                throw Wrong(field + ".size_bytes", $"'{said.Key}' has {stored.SizeBytes} bytes, not {said.SizeBytes}");
            }

            if (stored.Sha256 is { } checksum && checksum != said.Sha256)
            {
                throw Wrong(field + ".sha256", $"'{said.Key}' has the checksum {checksum}, not {said.Sha256}");
            }
        }
    }

    private static ApiErrorException Wrong(string field, string what) => ApiError.InvalidValue(field, $"'{field}': {what}.").AsException();
}
