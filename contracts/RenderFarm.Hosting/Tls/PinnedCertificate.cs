using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace RenderFarm.Hosting.Tls;

/// <summary>
/// A server that is known by the digest of its certificate, as one that has signed its own: by that alone, whatever its name.
/// </summary>
public static class PinnedCertificate
{
    /// <summary>SHA-256 of the certificate as it is sent, in hex.</summary>
    public static string DigestOf(X509Certificate certificate)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return Convert.ToHexStringLower(SHA256.HashData(certificate.GetRawCertData()));
    }

    /// <summary>Of a PEM file whose first certificate it is.</summary>
    public static string DigestOfFile(string path)
    {
        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(path));
        return DigestOf(certificate);
    }

    /// <param name="sha256">The digest; null or empty: certificates are judged as they always are.</param>
    public static SslClientAuthenticationOptions ByDigest(string? sha256) => By(string.IsNullOrEmpty(sha256) ? null : () => sha256);

    /// <summary>For whoever is on the server's own host: a certificate that is renewed in place is known from then on.</summary>
    /// <param name="path">A PEM file, read whenever a connection begins; null or empty: certificates are judged as they always are.</param>
    public static SslClientAuthenticationOptions ByFile(string? path) => By(string.IsNullOrEmpty(path) ? null : () => DigestOfFile(path));

    private static SslClientAuthenticationOptions By(Func<string>? known)
    {
        var options = new SslClientAuthenticationOptions();
        if (known is not null)
        {
            options.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                certificate is not null && string.Equals(DigestOf(certificate), known(), StringComparison.OrdinalIgnoreCase);
        }

        return options;
    }
}
