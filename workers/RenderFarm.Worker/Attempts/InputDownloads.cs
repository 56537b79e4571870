using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Folders;
using RenderFarm.Worker.Api;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// Brings a job's input pictures onto this host. The renderer has no network business of its own. A picture that doesn't come
/// is asked for again once the lease is renewed: so an API that is away is waited for, and costs no attempt.
/// </summary>
internal sealed class InputDownloads(FarmLinks links)
{
    private const int Tries = 3;

    /// <returns>Full paths by role.</returns>
    /// <exception cref="FarmApiException">A link doesn't answer, or answers with other bytes than promised.</exception>
    public async Task<IReadOnlyDictionary<string, string>> FetchAsync(AttemptContext attempt)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (i, input) in attempt.Grant.Inputs.Index())
        {
            var path = Path.Combine(attempt.Folder.Work, FormattableString.Invariant($"input-{i}"));
            for (var left = Tries - 1; ; left--)
            {
                try
                {
                    await FetchAsync(input, path, attempt.Stop);
                    break;
                }
                catch (FarmApiException) when (left > 0)
                {
                    await attempt.Lease.RenewedAsync(attempt.Stop);
                }
            }

            files[input.Role] = path;
        }

        return files;
    }

    private async Task FetchAsync(JobInput input, string path, CancellationToken cancellationToken)
    {
        await using (var file = File.Create(path))
        {
            await links.FetchAsync(input.Url, file, cancellationToken);
        }

        var actual = await FileChecksum.Sha256Async(path, cancellationToken);
        if (actual != input.Sha256)
        {
            throw new FarmApiException($"input {input.Role} arrived with SHA-256 {actual}, promised was {input.Sha256}", null, null);
        }
    }
}
