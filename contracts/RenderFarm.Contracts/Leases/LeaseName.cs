using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace RenderFarm.Contracts.Leases;

/// <summary>A lease as everybody may know it: what object keys, folders, logs and messages say of a <see cref="LeaseId"/>.</summary>
/// <param name="Digest">Of the token: <see cref="LeaseToken.DigestLength"/> hex digits; empty for one from before tokens.</param>
public readonly record struct LeaseName(string JobId, long Fence, string Digest)
{
    /// <summary>Fence and digest: <c>7-0a1b2c3d4e5f</c>, what tells it from other leases of its job.</summary>
    public string InJob => Fence.ToString(CultureInfo.InvariantCulture) + (Digest.Length == 0 ? "" : "-" + Digest);

    /// <summary><c>video_0196…-7-0a1b2c3d4e5f</c>: a file name as it is, and what logs say.</summary>
    public override string ToString() => $"{JobId}-{InJob}";

    /// <summary>The text form read back; false for any other text.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out LeaseName lease)
    {
        // Fence and digest are what follows the last two dashes: a job's id may hold dashes of its own
        var end = text?.LastIndexOf('-') ?? -1;
        var dash = end > 0 ? text!.LastIndexOf('-', end - 1) : -1;
        if (dash > 0)
        {
            return TryParse(text![..dash], text[(dash + 1)..], out lease);
        }

        lease = default;
        return false;
    }

    /// <summary>A job's id and the text form of <see cref="InJob"/> read back.</summary>
    public static bool TryParse(string jobId, string inJob, out LeaseName lease)
    {
        ArgumentNullException.ThrowIfNull(inJob);
        var parts = inJob.Split('-');
        var digest = parts.Length == 2 ? parts[1] : "";
        if (
            long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var fence)
            && (parts.Length == 1 || (parts.Length == 2 && digest.Length == LeaseToken.DigestLength))
            && digest.All(char.IsAsciiHexDigitLower)
        )
        {
            lease = new LeaseName(jobId, fence, digest);
            return true;
        }

        lease = default;
        return false;
    }

    /// <exception cref="FormatException">The text is not the text form of a lease.</exception>
    public static LeaseName Parse(string text) =>
        TryParse(text, out var lease)
            ? lease
            : throw new FormatException(
                $"'{text}' does not name a lease: it must be a job's id, a fence and a token's digest with dashes between them, such as "
                    + "video_0196-7-0a1b2c3d4e5f"
            );
}
