using System.Globalization;
using RenderFarm.Contracts.Words;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Cli.Farm;

/// <summary>
/// The settings that make API and worker one farm, as environment variables (<c>Store__Kind</c>): secrets never show in
/// a process listing.
/// </summary>
internal sealed record FarmSettings(
    FarmListener Listener,
    string? ApiMetricsUrl,
    string WorkerMetricsUrl,
    IReadOnlyDictionary<string, string> Api,
    IReadOnlyDictionary<string, string> Worker
)
{
    /// <summary>How long a job in hand may go on after SIGTERM before it is handed back. The whole stop takes at most 30 s.</summary>
    public const int DrainSeconds = 12;

    /// <summary>For whoever is on this machine.</summary>
    public string ApiUrl => Listener.OwnUrl;

    /// <summary>Every address at which this farm shows its metrics.</summary>
    public IReadOnlyList<string> MetricsAddresses => [$"{ApiMetricsUrl ?? ApiUrl}/metrics", $"{WorkerMetricsUrl}/metrics"];

    /// <summary>SQLite, a folder, no broker, whatever slots the machine has.</summary>
    /// <param name="models">The home whose models are used.</param>
    public static FarmSettings Embedded(
        FarmHome home,
        FarmHome models,
        FarmPrograms programs,
        FarmListener listener,
        int workerMetricsPort,
        int drainSeconds = DrainSeconds
    )
    {
        var workerMetrics = AddressOf(workerMetricsPort);
        var shared = new Dictionary<string, string>
        {
            ["Bus__Kind"] = Word.Of(BusKind.None),
            ["Keys__BootstrapFile"] = home.Keys,
        };
        var api = new Dictionary<string, string>(shared)
        {
            ["Artifacts__Kind"] = Word.Of(ArtifactsKind.Directory),
            ["Artifacts__Directory"] = home.Artifacts,
            ["Store__Kind"] = Word.Of(StoreKind.Sqlite),
            ["Store__ConnectionString"] = $"Data Source={home.Database}",
            ["Videos__DefaultModel"] = SetOr("Videos__DefaultModel", "demo"),
            ["Metrics__Url"] = "",
        };
        AddListener(api, listener);
        return new FarmSettings(
            listener,
            null,
            workerMetrics,
            api,
            WorkerSettings(shared, home, models, programs, listener, workerMetrics, drainSeconds)
        );
    }

    /// <summary>PostgreSQL, RabbitMQ and S3, as given by the options or the environment.</summary>
    public static FarmSettings OnServices(
        FarmHome home,
        FarmPrograms programs,
        ServiceAddresses services,
        FarmListener listener,
        int apiMetricsPort,
        int workerMetricsPort
    )
    {
        var (apiMetrics, workerMetrics) = (AddressOf(apiMetricsPort), AddressOf(workerMetricsPort));
        var shared = new Dictionary<string, string>(services.BusSettings()) { ["Keys__BootstrapFile"] = home.Keys };
        var api = new Dictionary<string, string>([.. shared, .. services.ArtifactsSettings()])
        {
            ["Store__Kind"] = Word.Of(StoreKind.Postgres),
            ["Store__ConnectionString"] = services.Postgres,
            ["Videos__DefaultModel"] = SetOr("Videos__DefaultModel", "demo"),
            ["Metrics__Url"] = apiMetrics,
        };
        AddListener(api, listener);
        return new FarmSettings(
            listener,
            apiMetrics,
            workerMetrics,
            api,
            WorkerSettings(shared, home, home, programs, listener, workerMetrics, DrainSeconds)
        );
    }

    private static Dictionary<string, string> WorkerSettings(
        Dictionary<string, string> shared,
        FarmHome home,
        FarmHome models,
        FarmPrograms programs,
        FarmListener listener,
        string metricsUrl,
        int drainSeconds
    )
    {
        var worker = new Dictionary<string, string>(shared)
        {
            ["Worker__ApiUrl"] = listener.OwnUrl,
            ["Worker__ApiCertificateFile"] = listener.Tls?.Certificate ?? "",
            ["Worker__DataDirectory"] = home.Worker,
            ["Metrics__Url"] = metricsUrl,
        };
        foreach (
            var (key, value) in new[]
            {
                ("Worker__RendererPath", programs.Renderer),
                ("Worker__DrainGraceSeconds", drainSeconds.ToString(CultureInfo.InvariantCulture)),
                ("Worker__Name", Environment.MachineName),
                ("Worker__Slots", "auto"),
                ("Models__Directory", models.Models),
            }
        )
        {
            worker[key] = SetOr(key, value);
        }

        return worker;
    }

    private static void AddListener(Dictionary<string, string> api, FarmListener listener)
    {
        api["Api__Url"] = listener.Url;
        if (listener.PublicUrl is { } reached)
        {
            api["Api__PublicUrl"] = SetOr("Api__PublicUrl", reached);
        }

        if (listener.Tls is { } tls)
        {
            (api["Api__Tls__Certificate"], api["Api__Tls__Key"]) = (tls.Certificate, tls.Key);
        }
    }

    /// <summary>What the environment says goes before what would be set here.</summary>
    private static string SetOr(string key, string value) =>
        Environment.GetEnvironmentVariable(key) is { Length: > 0 } set ? set : value;

    /// <summary>Where a port of this machine answers.</summary>
    public static string AddressOf(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
}
