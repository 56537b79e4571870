using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Options;
using RenderFarm.Api.Hosting;
using RenderFarm.Hosting.Metrics;

namespace RenderFarm.Api.Metrics;

/// <summary>For how long the API's certificate is good. The file is read by each scrape: it may have been renewed in place.</summary>
internal sealed class CertificateGauge
{
    public CertificateGauge(IOptions<ApiOptions> options, TimeProvider time, IMeterFactory factory)
    {
        if (options.Value.Tls.Certificate is { Length: > 0 } file)
        {
            factory.Create(ApiInstruments.Meter).Observe(ApiInstruments.CertificateRemaining, () => Remaining(file, time));
        }
    }

    /// <summary>One that can't be read is no certificate: nothing remains of it.</summary>
    private static double Remaining(string file, TimeProvider time)
    {
        try
        {
            using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(file));
            return (certificate.NotAfter.ToUniversalTime() - time.GetUtcNow()).TotalSeconds;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return 0;
        }
    }
}
