using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Cli.Farm;

/// <summary>A certificate and its key, as PEM files.</summary>
internal sealed record TlsFiles(string Certificate, string Key)
{
    public const string Auto = "auto";
    private static readonly TimeSpan Lasts = TimeSpan.FromDays(3_650);

    /// <param name="words">What followed <c>--tls</c>.</param>
    /// <param name="home">Where a certificate of the farm's own is kept.</param>
    /// <param name="time">From when it holds.</param>
    /// <returns>Null where nothing followed.</returns>
    /// <exception cref="FarmException">The words name no certificate.</exception>
    public static TlsFiles? Of(IReadOnlyList<string>? words, FarmHome home, TimeProvider time)
    {
        switch (words)
        {
            case null or []:
                return null;
            case [Auto]:
                return OwnIn(home, time);
            case [var certificate, var key]:
                var files = new TlsFiles(Path.GetFullPath(certificate), Path.GetFullPath(key));
                files.RequireReadable();
                return files;
            default:
                throw new FarmException("invalid_option", "--tls takes 'auto', or two PEM files: the certificate and its key");
        }
    }

    private void RequireReadable()
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(Certificate, Key);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new FarmException(
                "invalid_option",
                $"--tls: {Certificate} and {Key} are no certificate with its key: {fault.Message}",
                fault
            );
        }
    }

    /// <summary>The farm's own, made once: workers know it by its digest, so it has to stay what it is.</summary>
    private static TlsFiles OwnIn(FarmHome home, TimeProvider time)
    {
        var files = new TlsFiles(Path.Combine(home.Root, "farm.certificate.pem"), Path.Combine(home.Root, "farm.certificate.key"));
        if (!File.Exists(files.Certificate) || !File.Exists(files.Key))
        {
            using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var request = new CertificateRequest("CN=RenderFarm", key, HashAlgorithmName.SHA256);
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(Dns.GetHostName());
            names.AddDnsName("localhost");
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
            var now = time.GetUtcNow();
            using var certificate = request.CreateSelfSigned(now.AddDays(-1), now + Lasts);
            Write(files.Key, key.ExportPkcs8PrivateKeyPem());
            Write(files.Certificate, certificate.ExportCertificatePem());
        }

        files.RequireReadable();
        return files;
    }

    private static void Write(string path, string text)
    {
        var part = $"{path}.{Guid.NewGuid():N}.part";
        using (var file = new StreamWriter(part, PrivateFiles.Options(FileMode.CreateNew, FileAccess.Write, FileShare.None)))
        {
            file.Write(text);
        }

        File.Move(part, path, overwrite: true);
    }
}
