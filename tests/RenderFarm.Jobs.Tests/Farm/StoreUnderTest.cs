using Microsoft.Data.Sqlite;
using Npgsql;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Testing;

[assembly: AssemblyFixture(typeof(RenderFarm.Jobs.Tests.Farm.PostgresTemplate))]

namespace RenderFarm.Jobs.Tests.Farm;

/// <summary>A migrated, empty store of its own for one test.</summary>
public abstract class StoreUnderTest : IAsyncDisposable
{
    public abstract Task<StoreOptions> CreateAsync(CancellationToken cancellationToken);

    /// <summary>Without any table.</summary>
    public abstract Task<StoreOptions> CreateEmptyAsync();

    public abstract ValueTask DisposeAsync();
}

public sealed class SqliteStore : StoreUnderTest
{
    private readonly TemporaryFolder _folder = new();

    public override async Task<StoreOptions> CreateAsync(CancellationToken cancellationToken)
    {
        var options = await CreateEmptyAsync();
        await using var database = new JobDatabase(options);
        await database.MigrateAsync(cancellationToken);
        return options;
    }

    public override Task<StoreOptions> CreateEmptyAsync() =>
        Task.FromResult(new StoreOptions { Kind = StoreKind.Sqlite, ConnectionString = $"Data Source={_folder.File("farm.db")}" });

    public override ValueTask DisposeAsync()
    {
        using (var connection = new SqliteConnection($"Data Source={_folder.File("farm.db")}"))
        {
            SqliteConnection.ClearPool(connection);
        }

        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>A copy of the migrated template: a few milliseconds instead of a migration.</summary>
public sealed class PostgresStore : StoreUnderTest
{
    private string? _name;

    public override async Task<StoreOptions> CreateAsync(CancellationToken cancellationToken) =>
        await CreateFromAsync(await PostgresTemplate.NameAsync());

    public override Task<StoreOptions> CreateEmptyAsync() => CreateFromAsync("template1");

    private async Task<StoreOptions> CreateFromAsync(string template)
    {
        var name = $"jobs_{Guid.NewGuid():N}";
        await PostgresTemplate.OnServerAsync($"CREATE DATABASE {name} TEMPLATE {template}");
        // Only now is there something to drop: where there is no server, the test has been skipped
        _name = name;
        return new StoreOptions { Kind = StoreKind.Postgres, ConnectionString = PostgresTemplate.ConnectionTo(name) };
    }

    public override async ValueTask DisposeAsync()
    {
        if (_name is not null)
        {
            await PostgresTemplate.OnServerAsync($"DROP DATABASE {_name} WITH (FORCE)");
        }
    }
}

/// <summary>Migrated once a run, dropped at its end.</summary>
public sealed class PostgresTemplate : IAsyncDisposable
{
    private static readonly SemaphoreSlim Gate = new(1);
    private static string? _name;

    public static string ConnectionTo(string name) =>
        new NpgsqlConnectionStringBuilder(TestServices.Postgres) { Database = name, MaxPoolSize = 20 }.ConnectionString;

    public static async Task<string> NameAsync()
    {
        _ = TestServices.Postgres;
        await Gate.WaitAsync();
        try
        {
            if (_name is not null)
            {
                return _name;
            }

            var name = $"jobs_template_{Guid.NewGuid():N}";
            await OnServerAsync($"CREATE DATABASE {name}");
            var options = new StoreOptions { Kind = StoreKind.Postgres, ConnectionString = ConnectionTo(name) };
            await using (var database = new JobDatabase(options))
            {
                await database.MigrateAsync(CancellationToken.None);
            }

            return _name = name;
        }
        finally
        {
            Gate.Release();
        }
    }

    public static async Task OnServerAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(TestServices.Postgres);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_name is not null)
        {
            await OnServerAsync($"DROP DATABASE {_name} WITH (FORCE)");
        }

        Gate.Dispose();
    }
}
