using Microsoft.Extensions.Options;
using Npgsql;
using RenderFarm.Api.Composition;
using RenderFarm.Contracts.Checks;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Doctor;

/// <summary><c>doctor</c>: whether an API with these settings would start, and reach its database. Changes nothing.</summary>
internal static class ApiDoctor
{
    private const int PatienceSeconds = 5;

    public static async IAsyncEnumerable<HostCheck> LookAsync(string[] settings)
    {
        await using var app = FarmApi.Build(settings, builder => builder.Logging.ClearProviders());
        var store = app.Services.GetRequiredService<IOptions<StoreOptions>>().Value;
        yield return store.Kind == StoreKind.Postgres
            ? await PostgresAsync(store.ConnectionString)
            : HostCheck.Ok("database", $"a SQLite file: {store.ConnectionString}");
    }

    private static async Task<HostCheck> PostgresAsync(string connectionString)
    {
        const string Remedy = "start PostgreSQL there, or correct Store:ConnectionString (Host=…;Port=…;Username=…;Password=…;Database=…)";
        try
        {
            var builder = new NpgsqlConnectionStringBuilder(connectionString)
            {
                Timeout = PatienceSeconds,
                CommandTimeout = PatienceSeconds,
                Pooling = false,
            };
            await using var connection = new NpgsqlConnection(builder.ConnectionString);
            await connection.OpenAsync();
            return HostCheck.Ok(
                "database",
                $"PostgreSQL {connection.PostgreSqlVersion} at {builder.Host}:{builder.Port}/{builder.Database}"
            );
        }
        catch (Exception fault) when (fault is NpgsqlException or ArgumentException or TimeoutException or InvalidOperationException)
        {
            return HostCheck.Lacks("database", fault.Message, Remedy);
        }
    }
}
