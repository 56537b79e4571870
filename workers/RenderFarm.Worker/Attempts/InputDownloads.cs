using System.Security.Cryptography;
using RenderFarm.Contracts.Leases;
using RenderFarm.Worker.Api;

namespace RenderFarm.Worker.Attempts;

/// <summary>Brings a job's input pictures onto this host. The renderer has no network business of its own.</summary>
public sealed class InputDownloads(FarmApi api)
{
    /// <returns>Full paths by role.</returns>
    /// <exception cref="FarmApiException">A link doesn't answer, or answers with other bytes than promised.</exception>
    public async Task<IReadOnlyDictionary<string, string>> FetchAsync(
        IReadOnlyList<JobInput> inputs,
        string folder,
        CancellationToken cancellation
    )
    {
        Dictionary<string, string> files = new(StringComparer.Ordinal);
        for (int i = 0; i < inputs.Count; i++)
        {
            JobInput input = inputs[i];
            string path = Path.Combine(folder, FormattableString.Invariant($"input-{i}"));
            await using (Stream content = await api.OpenInputAsync(input.Url, cancellation))
            await using (FileStream file = File.Create(path))
            {
                await content.CopyToAsync(file, cancellation);
                file.Position = 0;
                string actual = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
                if (actual != input.Sha256)
                    throw new FarmApiException(
                        $"input {input.Role} arrived with SHA-256 {actual}, promised was {input.Sha256}",
                        null,
                        null
                    );
            }

            files[input.Role] = path;
        }

        return files;
    }
}
