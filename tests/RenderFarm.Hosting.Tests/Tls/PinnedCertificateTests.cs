using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using RenderFarm.Hosting.Tls;
using RenderFarm.Testing;

namespace RenderFarm.Hosting.Tests.Tls;

public sealed class PinnedCertificateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly X509Certificate2 _own = SelfSigned();
    private readonly X509Certificate2 _other = SelfSigned();

    public void Dispose()
    {
        _folder.Dispose();
        _own.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void ByDigest_BelievesThatCertificateWhateverElseIsSaidOfIt()
    {
        var options = PinnedCertificate.ByDigest(PinnedCertificate.DigestOf(_own).ToUpperInvariant());
        Assert.True(IsBelieved(options, _own));
        Assert.False(IsBelieved(options, _other));
        Assert.False(IsBelieved(options, null));
    }

    [Fact]
    public void ByFile_RenewedInPlace_BelievesTheNewOneAlone()
    {
        var path = _folder.File("farm.pem");
        File.WriteAllText(path, _own.ExportCertificatePem());
        var options = PinnedCertificate.ByFile(path);
        Assert.True(IsBelieved(options, _own));

        File.WriteAllText(path, _other.ExportCertificatePem());

        Assert.True(IsBelieved(options, _other));
        Assert.False(IsBelieved(options, _own));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Nothing_LeavesCertificatesToBeJudgedAsEver(string? nothing)
    {
        Assert.Null(PinnedCertificate.ByDigest(nothing).RemoteCertificateValidationCallback);
        Assert.Null(PinnedCertificate.ByFile(nothing).RemoteCertificateValidationCallback);
    }

    private static bool IsBelieved(SslClientAuthenticationOptions options, X509Certificate2? certificate) =>
        options.RemoteCertificateValidationCallback!(new object(), certificate, null, SslPolicyErrors.RemoteCertificateNameMismatch);

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = TimeProvider.System.GetUtcNow();
        return new CertificateRequest("CN=farm", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }
}
