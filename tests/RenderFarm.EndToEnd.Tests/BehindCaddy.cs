using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>The example for Caddy in <c>deploy/caddy</c>, before an API as it says.</summary>
public sealed class BehindCaddy
{
    private const string Program = "/usr/bin/caddy";

    [Fact]
    public async Task Api_BehindIt_IsReachedByTlsAndKnowsWhoAsks()
    {
        Assert.SkipUnless(File.Exists(Program), "no caddy: apt-get install caddy");
        using var folder = new TemporaryFolder();
        var port = FreePort();
        await using var farm = await FarmUnderTest.StartAsync(
            new FarmSetup
            {
                More = new Dictionary<string, string>
                {
                    ["Api__TrustedProxies__0"] = "127.0.0.0/8",
                    ["Keys__WrongKeysPerMinute"] = "2",
                },
            },
            workers: 0
        );
        // As a test may: no port 80, and nothing of this machine's is changed.
        var file = Path.Combine(folder.Path, "Caddyfile");
        var example = await File.ReadAllTextAsync(
            Path.Combine(BuiltPrograms.Root, "deploy", "caddy", "Caddyfile"),
            TestContext.Current.CancellationToken
        );
        await File.WriteAllTextAsync(
            file,
            example.Replace("admin off", "admin off\n\tauto_https disable_redirects\n\tskip_install_trust", StringComparison.Ordinal),
            TestContext.Current.CancellationToken
        );
        await using var caddy = FarmProcess.Start(
            "caddy",
            Program,
            ["run", "--config", file, "--adapter", "caddyfile"],
            new Dictionary<string, string>
            {
                ["FARM_NAME"] = $"localhost:{port}",
                ["FARM_API"] = farm.Url["http://".Length..],
                ["XDG_DATA_HOME"] = folder.Path,
                ["XDG_CONFIG_HOME"] = folder.Path,
            },
            Path.Combine(folder.Path, "caddy.log")
        );
        // For localhost Caddy signs by an authority of its own, which it makes at its start.
        var authority = Path.Combine(folder.Path, "caddy", "pki", "authorities", "local", "root.crt");
        await farm.EventuallyAsync(
            () => Task.FromResult(File.Exists(authority)),
            TimeSpan.FromSeconds(30),
            "Caddy to have its certificates",
            () => caddy.LastWords()
        );
        using var root = X509CertificateLoader.LoadCertificateFromFile(authority);
        using var through = new HttpClient(
            new SocketsHttpHandler
            {
                SslOptions =
                {
                    CertificateChainPolicy = new X509ChainPolicy
                    {
                        TrustMode = X509ChainTrustMode.CustomRootTrust,
                        CustomTrustStore = { root },
                        RevocationMode = X509RevocationMode.NoCheck,
                    },
                },
            }
        )
        {
            BaseAddress = new Uri($"https://localhost:{port}"),
        };
        await farm.EventuallyAsync(
            async () => await AnswersAsync(through),
            TimeSpan.FromSeconds(30),
            "the API to answer through Caddy",
            () => caddy.LastWords()
        );

        // An invitation leads back to where it was asked for.
        through.DefaultRequestHeaders.Authorization = farm.Http.DefaultRequestHeaders.Authorization;
        using var made = await through.PostAsJsonAsync("/v1/workers/invitations", new { }, TestContext.Current.CancellationToken);
        var invitation = await made.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.StartsWith($"https://localhost:{port}#rfi_", invitation.GetProperty("join").GetString(), StringComparison.Ordinal);

        // Wrong keys count against whoever sent them, whatever they say of themselves, and against nobody else.
        Assert.Equal(
            [HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests],
            new[] { await GuessAsync(through), await GuessAsync(through), await GuessAsync(through) }
        );
    }

    private static async Task<HttpStatusCode> GuessAsync(HttpClient client)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/videos");
        request.Headers.Authorization = new("Bearer", $"rf_{Guid.NewGuid():N}{Guid.NewGuid():N}");
        request.Headers.Add("X-Forwarded-For", $"192.0.2.{Random.Shared.Next(1, 255)}");
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    private static async Task<bool> AnswersAsync(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync(new Uri("/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
