using System.Text.Json;
using Npgsql;
using RenderFarm.Contracts.Checks;
using RenderFarm.Contracts.Json;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Health;

/// <summary><c>doctor --json</c>: whether the database that an API with these settings would use can be reached. Changes nothing.</summary>
internal static class DoctorVerb
{
    private const int PatienceSeconds = 5;

    public static async Task<int> RunAsync(string[] args)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var store = configuration.GetSection(StoreOptions.Section).Get<StoreOptions>() ?? new StoreOptions();
        var check = store.Kind switch
        {
            "postgres" => await PostgresAsync(store.ConnectionString),
            "sqlite" => HostCheck.Ok(
                "database",
                $"a SQLite file{(store.ConnectionString.Length > 0 ? $": {store.ConnectionString}" : " in the farm's home")}"
            ),
            var other => HostCheck.Lacks("database", $"Store:Kind is '{other}'", "set Store:Kind to sqlite or postgres"),
        };
        await Console.Out.WriteLineAsync(JsonSerializer.Serialize([check], ContractsJson.Default.HostCheckArray));
        return check.Result == HostCheckResult.Lacks ? 1 : 0;
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
