using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Npgsql;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.Benchmarks.Api;

/// <summary>
/// A real API process on a PostgreSQL database of its own, and a client that looks at each answer's status and reads its body.
/// The model <c>tiny</c> is known, from a worker that has come and gone.
/// </summary>
internal sealed class ApiFarm : IAsyncDisposable
{
    private readonly PostgresDatabase _database;

    private ApiFarm(PostgresDatabase database, FarmUnderTest farm)
    {
        (_database, Farm, Source) = (database, farm, NpgsqlDataSource.Create(database.ConnectionString));
        Http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 64 }) { BaseAddress = new Uri(farm.Url) };
        Http.DefaultRequestHeaders.Authorization = farm.Http.DefaultRequestHeaders.Authorization;
    }

    public FarmUnderTest Farm { get; }

    /// <summary>With the key of a user.</summary>
    public HttpClient Http { get; }
    public NpgsqlDataSource Source { get; }
    public string ConnectionString => _database.ConnectionString;

    /// <param name="broker">Also on RabbitMQ, where its events and bells go.</param>
    /// <param name="models">Those that are known; absent: <c>tiny</c>.</param>
    /// <param name="more">More settings.</param>
    public static async Task<ApiFarm> StartAsync(
        Uri? broker = null,
        IReadOnlyList<ModelShape>? models = null,
        IReadOnlyDictionary<string, string>? more = null
    )
    {
        var database = await PostgresDatabase.CreateAsync();
        var api = new ApiFarm(
            database,
            await FarmUnderTest.StartAsync(
                new FarmSetup
                {
                    Postgres = database.ConnectionString,
                    Broker = broker,
                    More = more ?? new Dictionary<string, string>(),
                },
                workers: 0
            )
        );
        await api.RegisterModelsAsync(models ?? [ModelShapes.Tiny]);
        api.Http.DefaultRequestHeaders.Authorization = await api.NewKeyAsync("benchmark");
        return api;
    }

    /// <summary>The key of one more user.</summary>
    public async Task<AuthenticationHeaderValue> NewKeyAsync(string name)
    {
        using var made = await Farm.Http.PostAsJsonAsync(
            "/v1/keys",
            new
            {
                name,
                scopes = (string[])["submit", "read"],
                requests_per_minute = 1_000_000,
            }
        );
        made.EnsureSuccessStatusCode();
        var key = await made.Content.ReadFromJsonAsync<JsonElement>();
        return new AuthenticationHeaderValue("Bearer", key.GetProperty("key").GetString());
    }

    public async Task<bool> CreateAsync(int number)
    {
        using var answer = await Http.PostAsJsonAsync("/v1/videos", new { prompt = $"benchmark clip {number}", model = "tiny" });
        await answer.Content.ReadAsByteArrayAsync();
        return answer.IsSuccessStatusCode;
    }

    public async Task<bool> GetAsync(string path)
    {
        using var answer = await Http.GetAsync(new Uri(path, UriKind.RelativeOrAbsolute));
        await answer.Content.ReadAsByteArrayAsync();
        return answer.IsSuccessStatusCode;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Source.CreateCommand(sql);
        command.CommandTimeout = 600;
        await command.ExecuteNonQueryAsync();
    }

    public async Task<string> DurabilityAsync()
    {
        async Task<string> Show(string setting)
        {
            await using var command = Source.CreateCommand($"SHOW {setting}");
            return $"{setting} {await command.ExecuteScalarAsync()}";
        }
        return $"PostgreSQL {(await Show("server_version")).Split(' ')[1]}, {await Show("fsync")}, {await Show("synchronous_commit")}";
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Farm.DisposeAsync();
        await Source.DisposeAsync();
        await _database.DisposeAsync();
    }

    private async Task RegisterModelsAsync(IReadOnlyList<ModelShape> models)
    {
        var keys = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Farm.Home, "keys.json"))).RootElement;
        var request = SimulatedWorker.Registration("gone", models);
        using var message = new HttpRequestMessage(HttpMethod.Post, "/worker/v1/register")
        {
            Content = new StringContent(
                JsonSerializer.Serialize(request, ContractsJson.Default.RegisterWorkerRequest),
                Encoding.UTF8,
                "application/json"
            ),
        };
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", keys.GetProperty("worker_key").GetString());
        using var answer = await Farm.Http.SendAsync(message);
        answer.EnsureSuccessStatusCode();
    }
}
