using Microsoft.Extensions.Options;
using Npgsql;
using RenderFarm.Api.Composition;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Checks;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Doctor;

/// <summary><c>doctor</c>: whether an API with these settings would start, and reach database and artifacts. Changes nothing.</summary>
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
        yield return await ArtifactsAsync(
            app.Services.GetRequiredService<IArtifactStore>(),
            app.Services.GetRequiredService<IOptions<ArtifactsOptions>>().Value
        );
    }

    private static async Task<HostCheck> ArtifactsAsync(IArtifactStore store, ArtifactsOptions options)
    {
        const string Subject = "artifacts";
        if (options.Kind != ArtifactsKind.S3)
        {
            return HostCheck.Ok(Subject, $"a folder: {options.Directory}");
        }

        var place = $"bucket {options.Bucket} at {options.Endpoint}";
        try
        {
            using var bounded = new CancellationTokenSource(TimeSpan.FromSeconds(PatienceSeconds));
            _ = await store.StatAsync("doctor", bounded.Token);
            return HostCheck.Ok(Subject, $"{place} answers");
        }
        catch (Exception fault) when (fault is ArtifactStoreException or OperationCanceledException)
        {
            return HostCheck.Lacks(
                Subject,
                $"{place}: {fault.Message}",
                "start the store, or correct Artifacts:Endpoint, Artifacts:AccessKey, Artifacts:SecretKey and Artifacts:Bucket; finished "
                    + "videos wait in their workers' spools meanwhile"
            );
        }
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
