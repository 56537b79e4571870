using System.Diagnostics.CodeAnalysis;

namespace RenderFarm.Contracts.Leases;

/// <summary>
/// All that a host needs to become a worker, in one line for people to carry: <c>https://farm:8080#rfi_…</c>, and where the farm's
/// certificate is its own, <c>….sha256=…</c> with the digest by which the host knows it.
/// </summary>
/// <param name="Farm">The API's address.</param>
/// <param name="Token">Of the invitation.</param>
/// <param name="CertificateSha256">Hex; null where the certificate is judged as any other.</param>
public sealed record JoinLine(Uri Farm, string Token, string? CertificateSha256)
{
    /// <summary>Where a worker's environment has the line.</summary>
    public const string Variable = "RENDERFARM_JOIN";

    public const string Form = "https://farm:8080#rfi_…, as ./farm workers invite prints it";

    private const string Pin = ".sha256=";
    private const int DigestLength = 64;

    public override string ToString() =>
        $"{Farm.GetLeftPart(UriPartial.Path).TrimEnd('/')}#{Token}{(CertificateSha256 is { } digest ? Pin + digest : "")}";

    /// <summary>The line read back; false for what is none.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out JoinLine? line)
    {
        line = null;
        if (
            !Uri.TryCreate(text?.Trim(), UriKind.Absolute, out var address)
            || address.Scheme is not ("http" or "https")
            || address.Fragment.Length < 2
        )
        {
            return false;
        }

        var parts = address.Fragment[1..].Split(Pin);
        var digest = parts.Length == 2 ? parts[1].ToLowerInvariant() : null;
        if (
            parts.Length > 2
            || parts[0].Length == 0
            || (digest is not null && !(address.Scheme == "https" && IsDigest(digest)))
        )
        {
            return false;
        }

        line = new JoinLine(new Uri(address.GetLeftPart(UriPartial.Path)), parts[0], digest);
        return true;
    }

    private static bool IsDigest(string text) => text.Length == DigestLength && text.All(char.IsAsciiHexDigitLower);
}
