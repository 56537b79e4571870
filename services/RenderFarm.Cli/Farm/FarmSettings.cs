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
    string ApiUrl,
    string? ApiMetricsUrl,
    string WorkerMetricsUrl,
    IReadOnlyDictionary<string, string> Api,
    IReadOnlyDictionary<string, string> Worker
)
{
    /// <summary>How long a job in hand may go on after SIGTERM before it is handed back. The whole stop takes at most 30 s.</summary>
    public const int DrainSeconds = 12;

    /// <summary>Every address at which this farm shows its metrics.</summary>
    public IReadOnlyList<string> MetricsAddresses => [$"{ApiMetricsUrl ?? ApiUrl}/metrics", $"{WorkerMetricsUrl}/metrics"];

    /// <summary>SQLite, a folder, no broker, whatever slots the machine has.</summary>
    /// <param name="models">The home whose models are used.</param>
    public static FarmSettings Embedded(
        FarmHome home,
        FarmHome models,
        FarmPrograms programs,
        int apiPort,
        int workerMetricsPort,
        int drainSeconds = DrainSeconds
    )
    {
        var (apiUrl, workerMetrics) = (AddressOf(apiPort), AddressOf(workerMetricsPort));
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
            ["Videos__DefaultModel"] = "demo",
            ["Api__Url"] = apiUrl,
            ["Metrics__Url"] = "",
        };
        return new FarmSettings(
            apiUrl,
            null,
            workerMetrics,
            api,
            WorkerSettings(shared, home, models, programs, apiUrl, workerMetrics, drainSeconds)
        );
    }

    /// <summary>PostgreSQL, RabbitMQ and S3, as given by the options or the environment.</summary>
    public static FarmSettings OnServices(
        FarmHome home,
        FarmPrograms programs,
        ServiceAddresses services,
        int apiPort,
        int apiMetricsPort,
        int workerMetricsPort
    )
    {
        var (apiUrl, apiMetrics, workerMetrics) = (AddressOf(apiPort), AddressOf(apiMetricsPort), AddressOf(workerMetricsPort));
        var shared = new Dictionary<string, string>(services.BusSettings()) { ["Keys__BootstrapFile"] = home.Keys };
        var api = new Dictionary<string, string>([.. shared, .. services.ArtifactsSettings()])
        {
            ["Store__Kind"] = Word.Of(StoreKind.Postgres),
            ["Store__ConnectionString"] = services.Postgres,
            ["Api__Url"] = apiUrl,
            ["Metrics__Url"] = apiMetrics,
        };
        api.TryAdd("Videos__DefaultModel", Environment.GetEnvironmentVariable("Videos__DefaultModel") ?? "demo");
        return new FarmSettings(
            apiUrl,
            apiMetrics,
            workerMetrics,
            api,
            WorkerSettings(shared, home, home, programs, apiUrl, workerMetrics, DrainSeconds)
        );
    }

    private static Dictionary<string, string> WorkerSettings(
        Dictionary<string, string> shared,
        FarmHome home,
        FarmHome models,
        FarmPrograms programs,
        string apiUrl,
        string metricsUrl,
        int drainSeconds
    )
    {
        var worker = new Dictionary<string, string>(shared)
        {
            ["Worker__ApiUrl"] = apiUrl,
            ["Worker__DataDirectory"] = home.Worker,
            ["Worker__RendererPath"] = programs.Renderer,
            ["Worker__DrainGraceSeconds"] = drainSeconds.ToString(CultureInfo.InvariantCulture),
            ["Metrics__Url"] = metricsUrl,
        };
        foreach (
            var (key, value) in new[]
            {
                ("Worker__Name", Environment.MachineName),
                ("Worker__Slots", "auto"),
                ("Models__Directory", models.Models),
            }
        )
        {
            worker[key] = Environment.GetEnvironmentVariable(key) is { Length: > 0 } set ? set : value;
        }

        return worker;
    }

    /// <summary>Where a port of this machine answers.</summary>
    public static string AddressOf(int port) => string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}");
}
