using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using RenderFarm.Api.Composition;
using RenderFarm.Api.Probes;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Checks;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Doctor;

/// <summary><c>doctor</c>: whether an API with these settings would start and reach its stores. Leaves nothing behind.</summary>
internal static class ApiDoctor
{
    private const int PatienceSeconds = 5;
    private const string Artifacts = "artifacts";

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

    /// <summary>One that is not there yet is made at the start.</summary>
    private static async Task<HostCheck> FolderAsync(IArtifactStore store, string folder)
    {
        if (!Path.Exists(folder))
        {
            return HostCheck.Ok(Artifacts, $"a folder: {folder}");
        }

        var probe = new ArtifactProbe(store, TimeProvider.System, NullLogger<ArtifactProbe>.Instance);
        await probe.LookAsync(CancellationToken.None);
        return probe.Last?.Fault is { } fault
            ? HostCheck.Lacks(
                Artifacts,
                $"a folder, {folder}: {fault}",
                "make it a folder that this user may write to, with room on its disk, or name another by Artifacts:Directory; finished "
                    + "videos wait in their workers' spools meanwhile"
            )
            : HostCheck.Ok(Artifacts, $"a folder: {folder}");
    }

    private static async Task<HostCheck> ArtifactsAsync(IArtifactStore store, ArtifactsOptions options)
    {
        if (options.Kind != ArtifactsKind.S3)
        {
            return await FolderAsync(store, options.Directory!);
        }

        var place = $"bucket {options.Bucket} at {options.Endpoint}";
        try
        {
            using var bounded = new CancellationTokenSource(TimeSpan.FromSeconds(PatienceSeconds));
            _ = await store.StatAsync("doctor", bounded.Token);
            return HostCheck.Ok(Artifacts, $"{place} answers");
        }
        catch (Exception fault) when (fault is ArtifactStoreException or OperationCanceledException)
        {
            return HostCheck.Lacks(
                Artifacts,
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
