using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using RenderFarm.Cli.Farm;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Tls;
using RenderFarm.Testing;

namespace RenderFarm.Cli.Tests.Farm;

[SupportedOSPlatform("linux")]
public sealed class FarmListenerTests
{
    private static readonly TlsFiles Tls = new("/a.pem", "/a.key");

    [Fact]
    public void Of_Nothing_IsThisMachineAlone()
    {
        var listener = FarmListener.Of(null, 8080, null);
        Assert.Equal(("http://127.0.0.1:8080", "http://127.0.0.1:8080", null), (listener.Url, listener.OwnUrl, listener.PublicUrl));
        Assert.False(listener.IsPlainAndOpen);
    }

    [Theory]
    [InlineData("127.0.0.1:9000", "http://127.0.0.1:9000", "http://127.0.0.1:9000", null)]
    [InlineData("localhost:9000", "http://127.0.0.1:9000", "http://127.0.0.1:9000", null)]
    [InlineData("192.0.2.7:9000", "http://192.0.2.7:9000", "http://192.0.2.7:9000", "http://192.0.2.7:9000")]
    [InlineData("192.0.2.7", "http://192.0.2.7:8080", "http://192.0.2.7:8080", "http://192.0.2.7:8080")]
    [InlineData("farm.example:9000", "http://*:9000", "http://127.0.0.1:9000", "http://farm.example:9000")]
    public void Of_AnAddressOrName_ListensThereAndSaysWhereItIsFound(string listen, string url, string own, string? reached)
    {
        var listener = FarmListener.Of(listen, 8080, null);
        Assert.Equal((url, own, reached), (listener.Url, listener.OwnUrl, listener.PublicUrl));
        Assert.Equal(reached is not null, listener.IsPlainAndOpen);
    }

    [Theory]
    [InlineData("0.0.0.0:8443", "https://0.0.0.0:8443", "https://127.0.0.1:8443")]
    [InlineData("[::]:8443", "https://[::]:8443", "https://127.0.0.1:8443")]
    public void Of_EveryAddress_NamesOneThatOthersReach(string listen, string url, string own)
    {
        var listener = FarmListener.Of(listen, 8080, Tls);
        Assert.Equal((url, own), (listener.Url, listener.OwnUrl));
        var reached = new Uri(listener.PublicUrl!);
        Assert.Equal(("https", 8443), (reached.Scheme, reached.Port));
        Assert.NotEqual("0.0.0.0", reached.Host);
        Assert.False(listener.IsPlainAndOpen);
    }

    [Theory]
    [InlineData("http://0.0.0.0:8080")]
    [InlineData("0.0.0.0:99999")]
    [InlineData(":8080/x")]
    [InlineData("")]
    public void Of_WhatIsNoAddress_IsRefusedByTheOption(string listen)
    {
        var fault = Assert.Throws<FarmException>(() => FarmListener.Of(listen, 8080, null));
        Assert.Contains("--listen", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_TwoPorts_IsRefusedByBothOptions()
    {
        var fault = Assert.Throws<FarmException>(() => FarmListener.Of("0.0.0.0:8443", 9000, null, wanted: true));
        Assert.Contains("--listen names port 8443 and --port 9000", fault.Message, StringComparison.Ordinal);
        Assert.Equal(9000, FarmListener.Of("192.0.2.7", 9000, null, wanted: true).Port);
        Assert.Equal(8443, FarmListener.Of("192.0.2.7:8443", 8443, null, wanted: true).Port);
    }

    /// <summary>Workers know the farm by it, so it is the same at the next start.</summary>
    [Fact]
    public void TlsAuto_MakesACertificateOnceAndKeepsItsKeyToItself()
    {
        using var folder = new TemporaryFolder();
        var home = FarmHome.Of(folder.Path);

        var made = TlsFiles.Of([TlsFiles.Auto], home, TimeProvider.System)!;

        var digest = PinnedCertificate.DigestOfFile(made.Certificate);
        Assert.Equal(64, digest.Length);
        Assert.Equal(made, TlsFiles.Of([TlsFiles.Auto], home, TimeProvider.System));
        Assert.Equal(digest, PinnedCertificate.DigestOfFile(made.Certificate));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(made.Key));
        using var certificate = X509Certificate2.CreateFromPemFile(made.Certificate, made.Key);
        Assert.True(certificate.HasPrivateKey);
        Assert.Equal(digest, PinnedCertificate.DigestOf(certificate));
        Assert.Equal(made, TlsFiles.Of([made.Certificate, made.Key], home, TimeProvider.System));
    }

    [Fact]
    public void Tls_FilesThatAreNone_AreRefusedByTheOption()
    {
        var fault = Assert.Throws<FarmException>(() =>
            TlsFiles.Of(["/nowhere.pem", "/nowhere.key"], FarmHome.Of("/nowhere"), TimeProvider.System)
        );
        Assert.Contains("--tls", fault.Message, StringComparison.Ordinal);
    }
}
