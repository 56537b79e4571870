using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Settings;
using RenderFarm.Hosting.Tls;

namespace RenderFarm.Api.Hosting;

/// <summary>Where other machines find this API, and by what they know it when nobody else has signed its certificate.</summary>
internal sealed class FarmAddress(IOptions<ApiOptions> options)
{
    private readonly Lazy<string?> _pin = new(() => options.Value.Tls.Certificate is { Length: > 0 } file ? PinOf(file) : null);

    /// <param name="token">Of an invitation.</param>
    /// <param name="request">Came to an address that is taken where the settings name none.</param>
    public string JoinBy(string token, HttpRequest request) =>
        options.Value.PublicUrl.Length > 0 ? JoinBy(token) : JoinAt(new Uri($"{request.Scheme}://{request.Host}"), token);

    /// <summary>At the address that the settings name.</summary>
    public string JoinBy(string token) => JoinAt(new Uri(options.Value.PublicUrl), token);

    private string JoinAt(Uri farm, string token) =>
        new JoinLine(farm, token, farm.Scheme == Uri.UriSchemeHttps ? _pin.Value : null).ToString();

    /// <exception cref="OptionsValidationException">The files of <c>Api:Tls</c> are no certificate with its key.</exception>
    public static void RequireReadable(ApiTls tls)
    {
        ArgumentNullException.ThrowIfNull(tls);
        if (tls.Certificate.Length == 0)
        {
            return;
        }

        try
        {
            using var certificate = X509Certificate2.CreateFromPemFile(tls.Certificate, tls.Key);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw SettingsFaults.At<ApiOptions>(
                nameof(ApiOptions.Tls),
                $"Certificate {tls.Certificate} with Key {tls.Key} can't be used: {fault.Message}"
            );
        }
    }

    /// <summary>Null for one that somebody else has signed: it is judged as certificates are, and may be renewed.</summary>
    private static string? PinOf(string file)
    {
        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
        return certificate.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData)
            ? PinnedCertificate.DigestOf(certificate)
            : null;
    }
}
