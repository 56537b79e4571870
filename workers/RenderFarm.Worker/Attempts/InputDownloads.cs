using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Api;

namespace RenderFarm.Worker.Attempts;

/// <summary>Brings a job's input pictures onto this host. The renderer has no network business of its own.</summary>
internal sealed class InputDownloads(FarmApi api)
{
    /// <returns>Full paths by role.</returns>
    /// <exception cref="FarmApiException">A link doesn't answer, or answers with other bytes than promised.</exception>
    public async Task<IReadOnlyDictionary<string, string>> FetchAsync(
        IReadOnlyList<JobInput> inputs,
        string folder,
        CancellationToken cancellationToken
    )
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < inputs.Count; i++)
        {
            var input = inputs[i];
            var path = Path.Combine(folder, FormattableString.Invariant($"input-{i}"));
            await using (var content = await api.OpenInputAsync(input.Url, cancellationToken))
            await using (var file = File.Create(path))
            {
                await content.CopyToAsync(file, cancellationToken);
            }

            var actual = await FileChecksum.Sha256Async(path, cancellationToken);
            if (actual != input.Sha256)
            {
                throw new FarmApiException($"input {input.Role} arrived with SHA-256 {actual}, promised was {input.Sha256}", null, null);
            }

            files[input.Role] = path;
        }

        return files;
    }
}
