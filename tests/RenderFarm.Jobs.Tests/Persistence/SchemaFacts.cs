using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Persistence;

public sealed class SchemaOnSqlite() : SchemaFacts(new SqliteStore());

public sealed class SchemaOnPostgres() : SchemaFacts(new PostgresStore());

public abstract class SchemaFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task Migrations_AgainstTheModel_HaveNoPendingChanges() =>
        Assert.False(await Farm.Database.ReadAsync(db => Task.FromResult(db.Database.HasPendingModelChanges()), Stop));

    [Theory]
    [InlineData("state = 'paused'")]
    [InlineData("state = 'leased'")]
    [InlineData("state = 'completed', finished_at = created_at")]
    [InlineData("state = 'failed', finished_at = created_at")]
    [InlineData("finished_at = created_at")]
    [InlineData("lease_worker_id = 'worker_x'")]
    [InlineData("lease_until = created_at")]
    [InlineData("error_code = 'poison'")]
    [InlineData("winning_fence = 1")]
    [InlineData("failures = 4")]
    [InlineData("step_downs = 7")]
    [InlineData("priority = 101")]
    [InlineData("fence = -1")]
    [InlineData("state = 'leased', fence = 1, lease_worker_id = 'w', lease_slot_id = 's', lease_until = created_at")]
    public async Task Jobs_IllegalRow_IsRefusedByTheDatabase(string change)
    {
        var job = await Farm.SubmitAsync();
        var refused = await Assert.ThrowsAnyAsync<DbException>(() =>
            Farm.SqlAsync(_ => $"UPDATE jobs SET {change} WHERE id = @id", job.Id)
        );
        Assert.Contains("ck_jobs_", refused.Message, StringComparison.Ordinal);
    }
}

public sealed class MigrationTests
{
    public static TheoryData<StoreKind> Kinds => [StoreKind.Sqlite, StoreKind.Postgres];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task MigrateAsync_TwoServicesStartingAtOnce_BothFindTheSchema(StoreKind kind)
    {
        var stop = TestContext.Current.CancellationToken;
        await using StoreUnderTest store = kind == StoreKind.Sqlite ? new SqliteStore() : new PostgresStore();
        var options = await store.CreateEmptyAsync();
        await using var one = new JobDatabase(options);
        await using var two = new JobDatabase(options);
        await Task.WhenAll(Task.Run(() => one.MigrateAsync(stop), stop), Task.Run(() => two.MigrateAsync(stop), stop));
        Assert.Equal(0, await two.ReadAsync(db => db.Jobs.CountAsync(stop), stop));
    }

    [Theory]
    [InlineData("", "28000")]
    [InlineData("CREATE ROLE {0} LOGIN", "be allowed to create it")]
    public async Task MigrateAsync_PostgresWontHaveThisUser_SaysRefused(string making, string reason)
    {
        var user = $"user_{Guid.NewGuid():N}";
        if (making.Length > 0)
        {
            await PostgresTemplate.OnServerAsync(making.Replace("{0}", user, StringComparison.Ordinal));
        }

        try
        {
            var connection = new NpgsqlConnectionStringBuilder(PostgresTemplate.ConnectionTo($"absent_{user}"))
            {
                Username = user,
                Pooling = false,
            }.ConnectionString;
            await using var database = new JobDatabase(new StoreOptions { Kind = StoreKind.Postgres, ConnectionString = connection });
            var refused = await Assert.ThrowsAsync<StoreRefusedException>(() =>
                database.MigrateAsync(TestContext.Current.CancellationToken)
            );
            Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            await PostgresTemplate.OnServerAsync($"DROP ROLE IF EXISTS {user}");
        }
    }

    [Fact]
    public async Task MigrateAsync_SqliteFileOfAnotherKind_SaysRefused()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var store = new SqliteStore();
        var options = await store.CreateEmptyAsync();
        await File.WriteAllTextAsync(new SqliteConnectionStringBuilder(options.ConnectionString).DataSource, new string('x', 4096), stop);
        await using var database = new JobDatabase(options);
        Assert.Contains(
            "not a database",
            (await Assert.ThrowsAsync<StoreRefusedException>(() => database.MigrateAsync(stop))).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>What a service finds when another has made the file a moment ago and written nothing yet.</summary>
    [Fact]
    public async Task MigrateAsync_SqliteFileStillEmpty_MakesTheSchema()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var store = new SqliteStore();
        var options = await store.CreateEmptyAsync();
        var path = new SqliteConnectionStringBuilder(options.ConnectionString).DataSource;
        await File.WriteAllBytesAsync(path, [], stop);
        await using var database = new JobDatabase(options);
        await database.MigrateAsync(stop);
        Assert.Equal(0, await database.ReadAsync(db => db.Jobs.CountAsync(stop), stop));
    }
}

public sealed class OutageTests
{
    [Theory]
    [InlineData(StoreKind.Postgres, "Host=127.0.0.1;Port=1;Timeout=2;Database=farm;Username=farm")]
    [InlineData(StoreKind.Sqlite, "Data Source=/nonexistent/folder/farm.db")]
    public async Task ReadAsync_StoreAway_SaysUnavailable(StoreKind kind, string connection)
    {
        await using var database = new JobDatabase(new StoreOptions { Kind = kind, ConnectionString = connection });
        var away = await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            database.ReadAsync(db => db.Jobs.CountAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken)
        );
        Assert.True(away.RetryAfter > TimeSpan.Zero);
        await Assert.ThrowsAsync<StoreUnavailableException>(() =>
            database.WriteAsync(db => db.Jobs.CountAsync(TestContext.Current.CancellationToken), TestContext.Current.CancellationToken)
        );
    }

    [Theory]
    [InlineData(StoreKind.Postgres, "Host=127.0.0.1;Port=1;Timeout=2;Database=farm;Username=farm")]
    [InlineData(StoreKind.Sqlite, "Data Source=/nonexistent/folder/farm.db")]
    public async Task ReadAsync_StoreAwayForACallerWhoHasGivenUp_SaysCancelled(StoreKind kind, string connection)
    {
        await using var database = new JobDatabase(new StoreOptions { Kind = kind, ConnectionString = connection });
        using var giveUp = new CancellationTokenSource();
        await Assert.ThrowsAsync<OperationCanceledException>(() =>
            database.ReadAsync(
                async db =>
                {
                    await giveUp.CancelAsync(); // Just as the attempt fails
                    return await db.Jobs.CountAsync(CancellationToken.None);
                },
                giveUp.Token
            )
        );
    }
}
