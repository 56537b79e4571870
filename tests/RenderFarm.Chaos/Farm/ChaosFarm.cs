using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Npgsql;
using RenderFarm.Artifacts;
using RenderFarm.Chaos.Plan;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Hosting.Settings;
using RenderFarm.Planning.Models;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Chaos.Farm;

/// <summary>
/// Two APIs and three workers on PostgreSQL, RabbitMQ and S3, every one a process of its own, and a link in front of
/// everything that talks over the network.
/// </summary>
internal sealed class ChaosFarm : IAsyncDisposable
{
    public const string Bucket = "renderfarm";
    private readonly Servers _servers;
    private readonly string _home;

    private ChaosFarm(string home, Servers servers, int workers)
    {
        (_home, _servers) = (home, servers);
        Workers = [.. Enumerable.Range(1, workers).Select(number => $"worker-{number}")];
        ClockOffsets = Workers.ToDictionary(worker => worker, _ => 0);
        var apiPorts = FaultPlan.Apis.Select(_ => FreePort()).ToArray();
        Links = new Dictionary<string, TcpProxy>
        {
            ["front"] = new(apiPorts),
            ["database"] = new(new NpgsqlConnectionStringBuilder(servers.Postgres).Port),
            ["broker"] = new(servers.Broker.Port),
            ["storage"] = new(servers.Storage.Port),
        };
        WorkerLinks = Workers.ToDictionary(worker => worker, _ => new TcpProxy(Links["front"].Port));
        Database = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(servers.Postgres)
            {
                Timeout = 5,
                CommandTimeout = 20,
                MaxPoolSize = 10,
            }.ConnectionString
        );
        Store = new S3ArtifactStore(
            new S3Connection(
                new ArtifactsOptions
                {
                    Kind = ArtifactsKind.S3,
                    Endpoint = $"http://127.0.0.1:{servers.Storage.Port}",
                    AccessKey = servers.Storage.UserInfo.Split(':')[0],
                    SecretKey = servers.Storage.UserInfo.Split(':')[1],
                    Bucket = Bucket,
                },
                TimeProvider.System
            )
        );
        for (var i = 0; i < apiPorts.Length; i++)
        {
            var url = $"http://127.0.0.1:{apiPorts[i]}";
            var health = new Uri($"{url}/health/live");
            Add(FaultPlan.Apis[i], BuiltPrograms.Api, health, () => new(Setup().ApiSettings(_home)) { ["Api__Url"] = url });
        }
    }

    /// <summary>Around the links: for looking, never for working.</summary>
    public NpgsqlDataSource Database { get; }
    public S3ArtifactStore Store { get; }
    public Servers Servers => _servers;
    public IReadOnlyList<string> Workers { get; }
    public IReadOnlyDictionary<string, TcpProxy> Links { get; }

    /// <summary>Of each worker to the API, through the front that clients use.</summary>
    public IReadOnlyDictionary<string, TcpProxy> WorkerLinks { get; }
    public Dictionary<string, FarmProgram> Programs { get; } = [];
    public Dictionary<string, SmallDisk> Disks { get; } = [];

    /// <summary>Seconds that a worker's wall clock is off, from its next start on.</summary>
    public Dictionary<string, int> ClockOffsets { get; }

    public Uri Front => new($"http://127.0.0.1:{Links["front"].Port}");
    public string ConnectionString => _servers.Postgres;

    /// <summary>What a renderer's process is called.</summary>
    public string RendererProgram { get; private set; } = "";

    /// <param name="stub">Renderers without a model.</param>
    public static async Task<ChaosFarm> StartAsync(string home, bool stub, int workers, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(home);
        var farm = new ChaosFarm(home, await Servers.StartAsync(Path.Combine(home, "servers"), cancellationToken), workers);
        try
        {
            await farm.AddWorkersAsync(stub);
            await farm.Programs[FaultPlan.Apis[0]].StartAsync(cancellationToken);
            await farm.Programs[FaultPlan.Apis[0]].ReadyAsync(cancellationToken); // It makes schema and keys
            await Task.WhenAll(
                farm.Programs.Values.Where(program => program.Name != FaultPlan.Apis[0])
                    .Select(program => program.StartAsync(cancellationToken))
            );
            await Task.WhenAll(FaultPlan.Apis.Select(api => farm.Programs[api].ReadyAsync(cancellationToken)));
            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    /// <param name="secret">Default: the administrator's.</param>
    public HttpClient Client(string? secret = null)
    {
        secret ??= Key("admin_key");
        var http = new HttpClient(
            new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(3), PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10) }
        )
        {
            BaseAddress = Front,
            Timeout = TimeSpan.FromSeconds(10),
        };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        return http;
    }

    /// <summary>A key of the bootstrap file.</summary>
    public string Key(string name) => JsonDocument.Parse(File.ReadAllText(Keys)).RootElement.GetProperty(name).GetString()!;

    /// <summary>The renderers of a worker that run now.</summary>
    public IReadOnlyList<int> Renderers(string worker) =>
        [
            .. ProcessTable
                .Below(Programs[worker].Id)
                .Where(process => process.Program == RendererProgram && process.State != 'Z')
                .Select(process => process.Id),
        ];

    public string DataDirectory(string worker) => Path.Combine(Disks[worker].Folder, "data");

    public async ValueTask DisposeAsync()
    {
        foreach (var program in Programs.Values.Reverse())
        {
            await program.DisposeAsync();
        }

        foreach (
            var orphan in ProcessTable
                .Below(Environment.ProcessId)
                .Where(process => process.Program == RendererProgram || process.Program == "ffmpeg")
        )
        {
            Kernel.Signal(orphan.Id, Kernel.Kill);
        }

        foreach (var disk in Disks.Values)
        {
            await disk.DisposeAsync();
        }

        foreach (var link in WorkerLinks.Values.Concat(Links.Values))
        {
            link.Dispose();
        }

        Store.Dispose();
        await Database.DisposeAsync();
        await _servers.DisposeAsync();
    }

    private string Keys => Path.Combine(_home, "keys.json");

    private async Task AddWorkersAsync(bool stub)
    {
        var renderer = stub ? Environment.ProcessPath! : BuiltPrograms.Renderer;
        RendererProgram = Path.GetFileName(renderer)[..15]; // As the kernel shortens it
        var models = stub ? StubModels() : await TestModels.FolderAsync();
        foreach (var name in Workers)
        {
            Disks[name] = await SmallDisk.MakeAsync(Path.Combine(_home, "disks", name));
            var url = $"http://127.0.0.1:{FreePort()}";
            Add(
                name,
                BuiltPrograms.Worker,
                new Uri($"{url}/health/live"),
                () =>
                    new(Setup().WorkerSettings(_home))
                    {
                        ["Worker__ApiUrl"] = $"http://127.0.0.1:{WorkerLinks[name].Port}",
                        ["Worker__RendererThreads"] = "1",
                        ["Worker__Name"] = name,
                        ["Worker__Slots"] = "cpu",
                        ["Worker__DataDirectory"] = DataDirectory(name),
                        ["Worker__MinimumFreeDiskMegabytes"] = "1",
                        ["Worker__RendererPath"] = renderer,
                        ["Worker__ClockOffsetSeconds"] = ClockOffsets[name].ToString(CultureInfo.InvariantCulture),
                        ["Models__Directory"] = models,
                        ["Metrics__Url"] = url,
                    }
            );
        }
    }

    private void Add(string name, string program, Uri health, Func<Dictionary<string, string>> settings) =>
        Programs[name] = new FarmProgram(name, program, settings, health, Path.Combine(_home, $"{name}.log"));

    /// <summary>With a link in front of each server; workers, too, follow the store's presigned links through it.</summary>
    private FarmSetup Setup() =>
        new()
        {
            Postgres = new NpgsqlConnectionStringBuilder(_servers.Postgres) { Port = Links["database"].Port }.ConnectionString,
            Broker = new UriBuilder(_servers.Broker) { Port = Links["broker"].Port }.Uri,
            S3 = new UriBuilder(_servers.Storage) { Port = Links["storage"].Port }.Uri,
            More = new Dictionary<string, string> { ["Artifacts__Bucket"] = Bucket, ["DOTNET_gcServer"] = "0" },
        };

    /// <summary>The tiny model's description without its weights, which a stub never opens.</summary>
    private string StubModels()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_home, "models", ModelShapes.Tiny.Id)).FullName;
        var manifest = new ModelManifest
        {
            Shape = ModelShapes.Tiny,
            Files = new ModelFiles
            {
                Transformer = ["dit.safetensors"],
                TextEncoder = ["t5.safetensors"],
                Tokenizer = "spiece.model",
                Vae = ["vae.safetensors"],
            },
        };
        File.WriteAllText(
            Path.Combine(folder, ModelManifest.FileName),
            JsonSerializer.Serialize(manifest, ContractsJson.Default.ModelManifest)
        );
        return Path.Combine(_home, "models");
    }

    /// <summary>Below the kernel's range for outgoing connections: none of those can take it while its owner is down.</summary>
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(10_000, 32_000);
            using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                probe.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, port));
                return port;
            }
            catch (SocketException)
            {
                // Taken: another one
            }
        }
    }
}
