using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Errors;

/// <summary>What the server itself refuses, before any of our code has seen a request, on the wire.</summary>
public sealed class ServerRefusalTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    [Theory]
    [InlineData("nonsense\r\n\r\n", 400)]
    [InlineData("GET /v1/videos HTTP/9.9\r\nHost: a\r\n\r\n", 505)]
    [InlineData("GET /v1/videos HTTP/1.1\r\n\r\n", 400)] // No Host
    [InlineData("GET /v1/videos HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400)]
    [InlineData("GET /v1/videos HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", 400)]
    [InlineData("GET /v1/\0 HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("GET /v1/%00 HTTP/1.1\r\nHost: a\r\n\r\n", 400)]
    [InlineData("POST /v1/videos HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400)]
    [InlineData("POST /v1/videos HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400)]
    public async Task Server_ARequestThatIsNone_GetsTheErrorBody(string request, int status) =>
        Assert.Equal(status, await SendAsync(request));

    /// <summary>What is encrypted on the way out is the whole answer.</summary>
    [Fact]
    public async Task Server_ARequestThatIsNoneOverTls_GetsTheErrorBody()
    {
        using var folder = new TemporaryFolder();
        var (certificate, key) = (folder.File("farm.pem"), folder.File("farm.key"));
        using (var pair = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        using (var made = Certificate(pair))
        {
            await File.WriteAllTextAsync(certificate, made.ExportCertificatePem(), TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(key, pair.ExportPkcs8PrivateKeyPem(), TestContext.Current.CancellationToken);
        }

        await using var farm = await TestFarm.StartAsync(
            "--Api:Url=https://127.0.0.1:0",
            $"--Api:Tls:Certificate={certificate}",
            $"--Api:Tls:Key={key}"
        );

        Assert.Equal(400, await SendAsync("GET /v1/%00 HTTP/1.1\r\nHost: a\r\n\r\n", farm.Address));
        Assert.Equal(400, await SendAsync("nonsense\r\n\r\n", farm.Address));
    }

    private static X509Certificate2 Certificate(ECDsa key) =>
        new CertificateRequest("CN=farm", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            TimeProvider.System.GetUtcNow().AddDays(-1),
            TimeProvider.System.GetUtcNow().AddDays(1)
        );

    [Fact]
    public async Task Server_HeadersWithoutEnd_GetTheErrorBody() =>
        Assert.Equal(431, await SendAsync("GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + new string('a', 40_000) + "\r\n\r\n"));

    [Fact]
    public async Task Server_AnEndlessPath_GetsTheErrorBody() =>
        Assert.Equal(414, await SendAsync("GET /" + new string('a', 40_000) + " HTTP/1.1\r\nHost: a\r\n\r\n"));

    /// <summary>Found out only while the body is read: by then the request has a handler.</summary>
    [Theory]
    [InlineData("application/json", "FFFFFFFFFFFFFFFFF")]
    [InlineData("application/json", "7FFFFFFFFFFFFFFF")]
    [InlineData("application/json", "zz")]
    [InlineData("multipart/form-data; boundary=b", "FFFFFFFFFFFFFFFFF")]
    [InlineData("application/jsonl", "FFFFFFFFFFFFFFFFF")]
    public async Task Server_AChunkOfAnImpossibleLength_GetsTheErrorBody(string type, string length)
    {
        var path = type.EndsWith("jsonl", StringComparison.Ordinal) ? "/v1/batches" : "/v1/videos";

        Assert.Contains(
            await SendAsync(
                $"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer {fixture.Farm.AdminKey}\r\n"
                    + $"Content-Type: {type}\r\nTransfer-Encoding: chunked\r\n\r\n{length}\r\n{{\r\n0\r\n\r\n"
            ),
            (int[])[400, 413]
        );
    }

    private Task<int> SendAsync(string request) => SendAsync(request, fixture.Farm.Address);

    private static async Task<int> SendAsync(string request, Uri farm)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        using var socket = new TcpClient();
        await socket.ConnectAsync(farm.Host, farm.Port, limit.Token);
        await using var stream = await OpenAsync(socket, farm, limit.Token);
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), limit.Token);
        using var answer = new MemoryStream();
        await stream.CopyToAsync(answer, limit.Token);
        var text = Encoding.UTF8.GetString(answer.ToArray());
        var (head, body) = text.Split("\r\n\r\n", 2) is [var h, var b] ? (h, b) : (text, "");
        var status = int.Parse(head.Split(' ')[1], CultureInfo.InvariantCulture);

        Assert.Contains("Content-Type: application/problem+json", head, StringComparison.Ordinal);
        Assert.Contains("x-request-id: req_", head, StringComparison.Ordinal);
        Assert.Contains("X-Content-Type-Options: nosniff", head, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", head, StringComparison.Ordinal);
        Assert.Contains("Connection: close", head, StringComparison.Ordinal);
        // An answer of a handler's comes in chunks
        var json = JsonNode.Parse(body[body.IndexOf('{', StringComparison.Ordinal)..(body.LastIndexOf('}') + 1)])!;
        Assert.Equal((status, "invalid_request"), ((int)json["status"]!, (string)json["error"]!["code"]!));
        Assert.Equal((string)json["detail"]!, (string)json["error"]!["message"]!);
        return status;
    }

    private static async Task<Stream> OpenAsync(TcpClient socket, Uri farm, CancellationToken cancellationToken)
    {
        if (farm.Scheme == Uri.UriSchemeHttp)
        {
            return socket.GetStream();
        }

        var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = farm.Host,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=farm",
            },
            cancellationToken
        );
        return tls;
    }
}
