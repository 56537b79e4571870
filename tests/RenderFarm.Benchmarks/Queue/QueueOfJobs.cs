using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Composition;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Workers;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;

namespace RenderFarm.Benchmarks.Queue;

/// <summary>
/// The job store in this process, on a database of its own: as many queued rows and registered workers as a part asks for.
/// </summary>
internal sealed class QueueOfJobs : IAsyncDisposable
{
    private const int Keys = 100;
    private readonly PostgresDatabase _database;
    private readonly ServiceProvider _services;
    private readonly NpgsqlDataSource _source;

    private QueueOfJobs(PostgresDatabase database)
    {
        _database = database;
        _source = NpgsqlDataSource.Create(database.ConnectionString);
        _services = new ServiceCollection()
            .AddLogging()
            .AddSingleton<IArtifactStore>(new DirectoryArtifactStore(Path.GetTempPath()))
            .AddJobs(new StoreOptions { Kind = StoreKind.Postgres, ConnectionString = database.ConnectionString })
            .BuildServiceProvider();
    }

    public LeaseDesk Desk => _services.GetRequiredService<LeaseDesk>();
    public FairClock Clock => _services.GetRequiredService<FairClock>();
    public JobStore Jobs => _services.GetRequiredService<JobStore>();

    public static async Task<QueueOfJobs> CreateAsync()
    {
        var queue = new QueueOfJobs(await PostgresDatabase.CreateAsync());
        await queue._services.GetRequiredService<JobDatabase>().MigrateAsync(CancellationToken.None);
        await queue.ExecuteAsync(
            $"INSERT INTO api_keys (id, name, hash, scopes, priority_ceiling, virtual_time, created_at) SELECT 'key_' || k, 'key ' || k, "
                + $"'hash ' || k, 3, 100, 0, now() FROM generate_series(1, {Keys}) k"
        );
        return queue;
    }

    /// <summary>Rows as submissions would have left them: keys taking turns, three models, two classes.</summary>
    public async Task FillAsync(int rows)
    {
        var spec = JsonSerializer.Serialize(
            new RenderSpec
            {
                Model = "demo",
                Prompt = "a red ball rolls to the right",
                Width = 320,
                Height = 192,
                Frames = 17,
                Fps = 8,
                Steps = 20,
                GuidanceScale = 5,
                Shift = 3,
                Seed = 1,
            },
            ContractsJson.Default.RenderSpec
        );
        await ExecuteAsync("TRUNCATE jobs CASCADE");
        await ExecuteAsync(
            $"""
            INSERT INTO jobs (id, key_id, model, spec, inputs, state, stage, step, steps, best_step, priority, vram_class,
                least_vram_bytes, estimated_seconds, start_tag, order_key,
                fence, failures, max_attempts, step_downs, deaths, created_at, queued_at)
            SELECT 'video_' || lpad(to_hex(i), 32, '0'), 'key_' || (1 + i % {Keys}), (ARRAY['demo', 't2v-1-3b', 't2v-14b'])[1 + i % 3],
                @spec, '[]', 'queued', 'queued', 0, 0, 0, 50,
                (ARRAY[0, 24])[1 + i % 2], 0, 30, (i / {Keys}) * 30.0, (i / {Keys}) * 30.0 - 30000, 0, 0, 3, 0, 0, now(), now()
            FROM generate_series(1, {rows}) i
            """,
            ("spec", spec)
        );
        await ExecuteAsync("VACUUM ANALYZE jobs");
    }

    /// <summary>Hosts with one 24 GB card each.</summary>
    public async Task<IReadOnlyList<string>> RegisterAsync(int workers)
    {
        var registry = _services.GetRequiredService<WorkerRegistry>();
        var keys = _services.GetRequiredService<ApiKeys>();
        var key = (await keys.CreateAsync("hosts", KeyScopes.Worker, 0, CancellationToken.None)).Key;
        var ids = new List<string>();
        for (var i = 0; i < workers; i++)
        {
            ids.Add(
                await registry.RegisterAsync(
                    new RegisterWorkerRequest
                    {
                        Protocol = WorkerProtocol.Current,
                        Identity = SimulatedWorker.IdentityOf($"host-{i}"),
                        Instance = SimulatedWorker.Instance,
                        Name = $"host-{i}",
                        Host = "simulated",
                        Version = "1",
                        Slots =
                        [
                            new SlotDescription
                            {
                                Id = "gpu0",
                                Kind = SlotKind.Cuda,
                                Card = "simulated card",
                                TotalBytes = 24L << 30,
                            },
                        ],
                        Models =
                        [
                            .. new[] { "demo", "t2v-1-3b", "t2v-14b" }.Select(id => new ModelRegistration(
                                id,
                                ModelShapes.Demo with { Id = id },
                                new Dictionary<string, string>()
                            )),
                        ],
                    },
                    key,
                    CancellationToken.None
                )
            );
        }

        return ids;
    }

    public async Task<LeasedJob?> LeaseAsync(string worker) =>
        await Desk.LeaseAsync(
            new LeaseRequest
            {
                Instance = SimulatedWorker.Instance,
                WorkerId = worker,
                SlotId = "gpu0",
                FreeBytes = 24L << 30,
            },
            CancellationToken.None
        )
            is LeaseResult.Granted granted
            ? granted.Job
            : null;

    public async Task ExecuteAsync(string sql, params (string Name, object Value)[] arguments)
    {
        await using var command = _source.CreateCommand(sql);
        command.CommandTimeout = 600;
        foreach (var (name, value) in arguments)
        {
            command.Parameters.AddWithValue(name, value);
        }

        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _source.DisposeAsync();
        await _database.DisposeAsync();
    }
}
