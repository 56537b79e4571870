using FsCheck;
using FsCheck.Xunit;
using Npgsql;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Events;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class NothingMissedOnSqlite() : NothingMissedFacts(new SqliteStore());

public sealed class NothingMissedOnPostgres() : NothingMissedFacts(new PostgresStore())
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task LeaseAsync_RowHeldAndLetGoAsItWas_IsGranted()
    {
        var job = await Farm.SubmitAsync();
        await using var other = await Farm.Database.Postgres!.OpenConnectionAsync(Stop);
        await using var holding = await HoldAsync(other);

        var asking = Farm.TryLeaseAsync();
        await Eventually.TrueAsync(
            async () => await ScalarAsync<long>("SELECT COUNT(*) FROM pg_locks WHERE NOT granted") > 0,
            Soon,
            "the request to wait for the row",
            Stop
        );
        Assert.False(asking.IsCompleted);
        await holding.RollbackAsync(Stop);

        Assert.Equal(job.Id, (await asking.WaitAsync(Soon, Stop))?.Id);
    }

    [Fact]
    public async Task LeaseAsync_RowHeldForGood_IsNothingAndNoFault()
    {
        await Farm.SubmitAsync();
        await using var other = await Farm.Database.Postgres!.OpenConnectionAsync(Stop);
        await using var holding = await HoldAsync(other);

        Assert.Null(await Farm.TryLeaseAsync());

        // And the farm goes on beside it
        var second = await Farm.SubmitAsync();
        Assert.Equal(second.Id, (await Farm.LeaseAsync()).Id);
    }

    protected override async Task HoldAndLetGoAsync()
    {
        await using var other = await Farm.Database.Postgres!.OpenConnectionAsync(Stop);
        await using var holding = await HoldAsync(other);
        await Task.Yield();
        await holding.RollbackAsync(Stop);
    }

    private static async Task<NpgsqlTransaction> HoldAsync(NpgsqlConnection connection)
    {
        var transaction = await connection.BeginTransactionAsync(Stop);
        const string Sql = "SELECT id FROM jobs WHERE state = 'queued' FOR UPDATE SKIP LOCKED";
        await using var command = new NpgsqlCommand(Sql, connection, transaction);
        await command.ExecuteNonQueryAsync(Stop);
        return transaction;
    }

    private async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Farm.Database.Postgres!.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(Stop))!;
    }
}

/// <summary>A request for work is answered "nothing" only when there is nothing, whoever else is busy with the farm.</summary>
public abstract class NothingMissedFacts(StoreUnderTest store) : FarmFacts(store)
{
    /// <summary>
    /// As many free jobs as are asked for, and as many more as are cancelled or asked for by somebody who goes away. While
    /// all of that happens, others submit, bells ring, every sweep passes, and held jobs report.
    /// </summary>
    [Property(MaxTest = 25)]
    public async Task LeaseAsync_AmongEverythingElse_FindsEveryFreeJob(byte askers, byte cancels, byte quitters, byte newcomers)
    {
        var (asking, cancelling, quitting) = ((askers % 5) + 1, cancels % 3, quitters % 3);
        var held = await HeldAsync();
        var free = new List<Job>();
        for (var i = 0; i < asking + cancelling + quitting; i++)
        {
            free.Add(await Farm.SubmitAsync());
        }

        Farm.Time.Advance(BellRelay.Grace);
        var leases = Enumerable.Range(0, asking).Select(_ => Task.Run(() => Farm.TryLeaseAsync())).ToList();
        List<Task> others =
        [
            .. free.Take(cancelling).Select(job => Task.Run(() => Farm.Jobs.CancelAsync(job.Id, JobScope.All, Stop))),
            .. Enumerable.Range(0, quitting).Select(_ => Task.Run(AskAndQuitAsync)),
            .. Enumerable.Range(0, 1 + (quitters % 3)).Select(_ => Task.Run(HoldAndLetGoAsync)),
            .. Enumerable.Range(0, newcomers % 4).Select(_ => Task.Run(() => Farm.SubmitAsync())),
            .. free.Select(job => Task.Run(() => Farm.Ringer.RingAsync(new Announcement(job.Id, job.Fence, "demo", 0), Stop))),
            .. Sweeps().Select(sweep => Task.Run(() => sweep.RunOnceAsync(Stop))),
            Task.Run(() => Farm.RenewAsync(held, RenderStage.Denoising, 1)),
            Task.Run(() => Farm.Events.PlaceAsync(Stop)),
        ];

        var granted = await Task.WhenAll(leases);
        await Task.WhenAll(others);

        Assert.DoesNotContain(granted, lease => lease is null);
        Assert.Equal(granted.Length, granted.Select(lease => lease!.Id).Distinct().Count());
        await ClearAsync();
    }

    /// <summary>What a transaction does to the rows that wait, and takes back.</summary>
    protected virtual Task HoldAndLetGoAsync() => Task.CompletedTask;

    private IEnumerable<Loops.ISweep> Sweeps() =>
        [Farm.Reaper, Farm.Relay, Farm.Clock, new ExpirySweep(Farm.Database, Farm.Time)];

    private async Task<LeasedJob> HeldAsync()
    {
        await Farm.SubmitAsync();
        var held = await Farm.LeaseAsync();
        await Farm.RenewAsync(held, RenderStage.Denoising);
        return held;
    }

    /// <summary>Somewhere between the look and the commit, or before, or after.</summary>
    private async Task AskAndQuitAsync()
    {
        using var quit = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var request = new LeaseRequest
        {
            WorkerId = Farm.Worker,
            Instance = SimulatedWorker.Instance,
            SlotId = "cpu",
            FreeBytes = TestFarm.GiB,
        };
        var asking = Farm.Desk.LeaseAsync(request, quit.Token);
        await Task.Yield();
        await quit.CancelAsync();
        try
        {
            await asking;
        }
        catch (OperationCanceledException) when (quit.IsCancellationRequested)
        {
            // That is what it was for
        }
    }

    /// <summary>Out of the way of the next round: deleted, and what is held ends as its lease runs out.</summary>
    private async Task ClearAsync()
    {
        foreach (var job in (await Farm.Jobs.ListAsync(JobScope.All, JobFilter.All, new PagePlace(100), Stop)).Jobs)
        {
            await Farm.Jobs.DeleteAsync(job.Id, JobScope.All, Stop);
            await Farm.SqlAsync(
                dialect => $"UPDATE jobs SET lease_until = {dialect.NowPlus("-1")} WHERE id = @id AND lease_until IS NOT NULL",
                job.Id
            );
        }

        await Farm.ReapAsync();
    }
}
