using Microsoft.EntityFrameworkCore;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Persistence;

public sealed class SchemaHistoryOnSqlite() : SchemaHistoryFacts(new SqliteStore());

public sealed class SchemaHistoryOnPostgres() : SchemaHistoryFacts(new PostgresStore());

public abstract class SchemaHistoryFacts(StoreUnderTest store) : IAsyncDisposable
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("20261123054323_Initial", "20261123125035_Retention")]
    [InlineData("20261123054402_Initial")]
    [InlineData("99990101000000_FromTheFuture")]
    public async Task MigrateAsync_DatabaseOfAnotherVersion_IsRefusedByName(params string[] applied)
    {
        var options = await store.CreateEmptyAsync();
        await using var database = new JobDatabase(options);
        await MarkAsync(database, applied);

        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => database.MigrateAsync(Stop));

        Assert.Contains(applied[0], refused.Message, StringComparison.Ordinal);
        Assert.Contains(NameOf(options), refused.Message, StringComparison.Ordinal);
        Assert.Contains("name another one", refused.Message, StringComparison.Ordinal);
        Assert.Equal(applied, await database.ReadAsync(async db => await db.Database.GetAppliedMigrationsAsync(Stop), Stop));
    }

    /// <summary>An API of the next version has come up beside this one and has expanded the schema.</summary>
    [Fact]
    public async Task Farm_OneMigrationMoreWhileItRuns_GoesOnAndIsRefusedAtItsNextStart()
    {
        var options = await store.CreateAsync(Stop);
        await using var farm = await TestFarm.OpenAsync(options);
        var waiting = await farm.SubmitAsync();
        foreach (var table in (string[])["jobs", "lease_records", "workers", "api_keys", "events"])
        {
            await farm.SqlAsync(_ => $"ALTER TABLE {table} ADD COLUMN of_the_next_version TEXT", "");
        }

        await MarkAsync(farm.Database, ["99990101000000_FromTheFuture"]);

        await farm.RegisterAsync("rack-1", "demo");
        var lease = await farm.LeaseAsync();
        Assert.Equal(waiting.Id, lease.Id);
        Assert.NotNull(await farm.RenewAsync(lease, RenderStage.Denoising, step: 1));
        Assert.Equal(JobState.Completed, (await farm.CompleteAsync(lease))!.State);
        Assert.Equal(["video.queued", "video.started", "video.completed"], await farm.EventTypesAsync(waiting.Id));

        await using var next = new JobDatabase(options);
        var refused = await Assert.ThrowsAsync<StoreRefusedException>(() => next.MigrateAsync(Stop));
        Assert.Contains("99990101000000_FromTheFuture", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MigrateAsync_ItsOwnDatabaseAgain_FindsNothingToDo()
    {
        await using var database = new JobDatabase(await store.CreateAsync(Stop));
        await database.MigrateAsync(Stop);
        var (known, applied) = await database.ReadAsync(
            async db => (db.Database.GetMigrations().ToList(), (await db.Database.GetAppliedMigrationsAsync(Stop)).ToList()),
            Stop
        );
        Assert.Equal(known, applied);
    }

    /// <summary>What an earlier version would have left, as far as it tells who it was.</summary>
    private static Task MarkAsync(JobDatabase database, string[] applied) =>
        database.WriteAsync(
            async db =>
            {
                await db.ExecuteAsync(
                    """
                    CREATE TABLE IF NOT EXISTS "__EFMigrationsHistory" (
                        "MigrationId" varchar(150) NOT NULL PRIMARY KEY, "ProductVersion" varchar(32) NOT NULL)
                    """,
                    Stop
                );
                foreach (var id in applied)
                {
                    await db.ExecuteAsync("""INSERT INTO "__EFMigrationsHistory" VALUES (@id, '10.0.0')""", Stop, ("id", id));
                }

                return true;
            },
            Stop
        );

    private static string NameOf(StoreOptions options)
    {
        var parts = new System.Data.Common.DbConnectionStringBuilder { ConnectionString = options.ConnectionString };
        return (string)parts[options.Kind == StoreKind.Postgres ? "Database" : "Data Source"];
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}
