using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using RenderFarm.Observability.Tests.Live;
using RenderFarm.Observability.Tests.Servers;
using RenderFarm.Testing;
using RenderFarm.Testing.Cards;
using RenderFarm.Testing.Farms;

[assembly: AssemblyFixture(typeof(ObservedFarm))]

namespace RenderFarm.Observability.Tests.Live;

/// <summary>
/// A farm to which everything has happened that boards and rules look at: two workers on the processor and one with a card (a driver of our
/// own), jobs that went well, one that ran out of memory, one that was lost and came back, webhooks, an error of a card, a certificate that
/// is over soon, a key that ends; on PostgreSQL, RabbitMQ and S3, with their exporters; and Prometheus, which scrapes all of it. Made when
/// first asked for.
/// </summary>
public sealed class ObservedFarm : IAsyncDisposable
{
    private const long GiB = 1L << 30;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private readonly Lock _once = new();
    private readonly List<IAsyncDisposable> _servers = [];
    private readonly List<IDisposable> _folders = [];
    private Task<(FarmUnderTest Farm, Prometheus Prometheus)>? _made;

    /// <summary>Where webhooks go, and what Alertmanager sends.</summary>
    internal WebhookReceiver Receiver { get; private set; } = null!;

    /// <summary>Its attempts: one that ran out of memory, and one that went well.</summary>
    public string Video { get; private set; } = "";

    internal Task<(FarmUnderTest Farm, Prometheus Prometheus)> GetAsync()
    {
        lock (_once)
        {
            return _made ??= MakeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Enumerable.Reverse(_servers))
        {
            await server.DisposeAsync();
        }

        _folders.ForEach(folder => folder.Dispose());
    }

    private async Task<(FarmUnderTest Farm, Prometheus Prometheus)> MakeAsync()
    {
        Program.Find("prometheus");
        var services = Keep(await FarmOnServices.CreateAsync());
        var exporter = Keep(PostgresExporter.Start(services.Database.ConnectionString));
        var receiver = Receiver = Keep(WebhookReceiver.Start());
        var alertmanager = Keep(await Alertmanager.StartAsync(receiver.Address));
        var driver = await FakeDriver.WithAsync(new FakeCard("GPU-1", "NVIDIA GeForce RTX 4090", 24 * GiB, 1 * GiB));
        _folders.Add(driver);
        var farm = Keep(
            await FarmUnderTest.StartAsync(
                services.Setup with
                {
                    More = new Dictionary<string, string> { ["Outbound__AllowedNetworks__0"] = "127.0.0.0/8" },
                },
                workers: 0
            )
        );
        await MakeKeyThatEndsAsync(farm);
        var secured = await farm.StartApiWithTlsAsync(await CertificateAsync(), await KeyAsync());
        var workers = new Dictionary<string, FarmProcess>
        {
            ["worker-1"] = await farm.StartWorkerAsync("worker-1"),
            ["worker-2"] = await farm.StartWorkerAsync("worker-2"),
        };
        var card = new Dictionary<string, string> { ["Worker__Slots"] = "auto", ["Worker__NvmlPath"] = driver.Path };
        await farm.StartWorkerAsync("worker-card", card);
        var prometheus = Keep(
            await Prometheus.StartAsync(
                alertmanager.Address,
                new Dictionary<string, IReadOnlyList<Uri>>
                {
                    ["api"] = [new Uri(farm.Url), secured],
                    ["worker"] = [.. farm.MetricsUrls.Values.Select(url => new Uri(url))],
                    ["rabbitmq"] = [TestServices.RabbitMqMetrics],
                    ["postgres"] = [exporter.Address],
                    // A stand-in for MinIO, which speaks S3 and tells Prometheus nothing: the job is there, and down.
                    ["minio"] = [new Uri($"http://{TestServices.S3.Authority}")],
                }
            )
        );

        await RenderAsync(farm, receiver);
        driver.Report(0, 63);
        await LoseAndComeBackAsync(farm, workers);
        driver.Report(0, 63);
        await LeaveSomeWaitingAsync(farm);
        return (farm, prometheus);
    }

    private static async Task MakeKeyThatEndsAsync(FarmUnderTest farm)
    {
        var ends = TimeProvider.System.GetUtcNow().AddDays(2).ToUnixTimeSeconds();
        using var made = await farm.PostAsync("/v1/keys", JsonContent.Create(new { name = "guest", expires_at = ends }));
        Assert.True(made.IsSuccessStatusCode, $"a key that ends was answered {made.StatusCode}");
    }

    // One runs out of memory, and is done by a cheaper plan. Meanwhile others go well, twice: what a counter is born with is no increase.
    private async Task RenderAsync(FarmUnderTest farm, WebhookReceiver receiver)
    {
        var tight = Request("small", "640x368", 5, 1);
        tight["debug"] = new Dictionary<string, object> { ["device_memory_bytes"] = 1000L << 20 };
        tight["webhook_url"] = new Uri(receiver.Address, "refused").ToString();
        Video = (await farm.SubmitAsync(tight)).GetProperty("id").GetString()!;
        for (var i = 0; i < 2; i++)
        {
            var quick = Request("tiny", "64x48", 9, 4);
            quick["webhook_url"] = receiver.Address.ToString();
            await farm.CompletedAsync((await farm.SubmitAsync(quick)).GetProperty("id").GetString()!, Patience);
        }

        await farm.CompletedAsync(Video, Patience * 2);
    }

    // The host of a render is frozen until its lease is lost and another has the job; then it is back, and too late.
    // The other is frozen while nobody else takes jobs; then it is back, and in time.
    private static async Task LoseAndComeBackAsync(FarmUnderTest farm, Dictionary<string, FarmProcess> workers)
    {
        var id = (await farm.SubmitAsync(Request("small", "256x160", 33, 100))).GetProperty("id").GetString()!;
        await farm.DenoisingAsync(id, Patience);
        var first = await HolderAsync(farm, id);
        workers[first].Freeze();
        await farm.EventuallyAsync(async () => (await farm.AttemptsAsync(id)).Count == 2, Patience, "another to take the job");
        await farm.DenoisingAsync(id, Patience);
        workers[first].Thaw();
        await farm.EventuallyAsync(
            async () => await ShowsAsync(farm, first, "renderfarm_renders_discarded_total{"),
            Patience,
            "the late one to throw its render away"
        );
        using (var drained = await farm.PostAsync($"/v1/workers/{await IdAsync(farm, first)}/drain"))
        {
            Assert.True(drained.IsSuccessStatusCode, $"drain answered {drained.StatusCode}");
        }

        var second = await HolderAsync(farm, id);
        workers[second].Freeze();
        await farm.EventuallyAsync(
            async () => (await farm.VideoAsync(id)).GetProperty("status").GetString() == "queued",
            Patience,
            "the lease to be lost"
        );
        workers[second].Thaw();
        await farm.EventuallyAsync(
            async () => (await farm.VideoAsync(id)).GetProperty("status").GetString() == "in_progress",
            Patience,
            "the lease to be revived"
        );
    }

    // One renders, one is drained: what comes now waits.
    private static async Task LeaveSomeWaitingAsync(FarmUnderTest farm)
    {
        await farm.SubmitAsync(Request("tiny", "64x48", 9, 4));
        await farm.SubmitAsync(Request("tiny", "64x48", 9, 4));
    }

    private static async Task<string> HolderAsync(FarmUnderTest farm, string id)
    {
        var worker = (await farm.AttemptsAsync(id))[^1].GetProperty("worker").GetString()!;
        return (await WorkersAsync(farm)).Single(known => known.GetProperty("id").GetString() == worker).GetProperty("name").GetString()!;
    }

    private static async Task<string> IdAsync(FarmUnderTest farm, string name) =>
        (await WorkersAsync(farm)).Single(known => known.GetProperty("name").GetString() == name).GetProperty("id").GetString()!;

    private static async Task<IEnumerable<JsonElement>> WorkersAsync(FarmUnderTest farm) =>
        (await farm.GetAsync("/v1/workers")).GetProperty("data").EnumerateArray();

    private static async Task<bool> ShowsAsync(FarmUnderTest farm, string worker, string series) =>
        (await farm.Http.GetStringAsync(new Uri(farm.MetricsUrls[worker]), TestContext.Current.CancellationToken)).Contains(
            series,
            StringComparison.Ordinal
        );

    private static Dictionary<string, object> Request(string model, string size, int frames, int steps) =>
        new()
        {
            ["model"] = model,
            ["prompt"] = "a red ball rolls to the right",
            ["size"] = size,
            ["frames"] = frames,
            ["fps"] = 8,
            ["steps"] = steps,
            ["seed"] = 7,
        };

    private readonly Lazy<(string Certificate, string Key)> _tls = new(() =>
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=farm", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        return (certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem());
    });

    private Task<string> CertificateAsync() => WriteAsync("farm.pem", _tls.Value.Certificate);

    private Task<string> KeyAsync() => WriteAsync("farm.key", _tls.Value.Key);

    private async Task<string> WriteAsync(string name, string text)
    {
        var folder = new TemporaryFolder();
        _folders.Add(folder);
        await File.WriteAllTextAsync(folder.File(name), text, TestContext.Current.CancellationToken);
        return folder.File(name);
    }

    private T Keep<T>(T server)
        where T : IAsyncDisposable
    {
        _servers.Add(server);
        return server;
    }
}
