using System.Diagnostics;
using Npgsql;
using RenderFarm.Chaos.Farm;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Forecasts;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Users;
using RenderFarm.Jobs.Workers;
using RenderFarm.Testing;

namespace RenderFarm.Chaos.Tests.Stores;

public sealed class SilentDatabaseTests
{
    /// <summary>A pool full of connections that are open and dead: one call pays for all of them, well within a lease of 24 s.</summary>
    [Fact]
    public async Task Read_PooledConnectionsHaveDiedSilently_CostsOneTimeoutAndNoMore()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var server = await PostgresDatabase.CreateAsync(stop);
        var address = new NpgsqlConnectionStringBuilder(server.ConnectionString);
        using var link = new TcpProxy(address.Port);
        await using var database = new JobDatabase(
            new StoreOptions
            {
                Kind = StoreKind.Postgres,
                ConnectionString = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Port = link.Port }.ConnectionString,
            }
        );
        await database.MigrateAsync(stop);
        var announcer = new JobAnnouncer(new JobSignal(TimeProvider.System));
        var forecast = new QueueForecast(
            database,
            new WorkerRegistry(database, TimeProvider.System),
            new RenderTimes(database, TimeProvider.System),
            TimeProvider.System
        );
        var submission = new JobSubmission(database, announcer, forecast, TimeProvider.System);
        var jobs = new JobStore(database, submission, announcer, TimeProvider.System);
        const int Pooled = 8;
        var (there, all) = (0, new TaskCompletionSource());
        await Task.WhenAll(
            Enumerable
                .Range(0, Pooled)
                .Select(_ =>
                    database.WriteAsync(
                        async _ =>
                        {
                            if (Interlocked.Increment(ref there) == Pooled)
                            {
                                all.SetResult();
                            }

                            await all.Task.WaitAsync(stop);
                            return true;
                        },
                        stop
                    )
                )
        );
        Assert.True(link.Open >= Pooled, $"{link.Open} connections lie in the pool");

        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var silence = link.HalfOpenAsync(TimeSpan.FromMinutes(10), over.Token);
        var began = Stopwatch.GetTimestamp();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => jobs.GetAsync("video_1", JobScope.All, stop));
        var first = Stopwatch.GetElapsedTime(began);
        for (var i = 0; i < Pooled; i++)
        {
            await jobs.GetAsync("video_1", JobScope.All, stop);
        }

        Assert.True(first < TimeSpan.FromSeconds(14), $"the first call found out after {first.TotalSeconds:0.0} s");
        await over.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => silence);
    }
}
