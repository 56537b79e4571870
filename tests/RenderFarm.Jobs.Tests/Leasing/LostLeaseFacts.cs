using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Tests.Farm;

namespace RenderFarm.Jobs.Tests.Leasing;

public sealed class LostLeasesOnSqlite() : LostLeaseFacts(new SqliteStore());

public sealed class LostLeasesOnPostgres() : LostLeaseFacts(new PostgresStore());

/// <summary>A lease that a live worker let run out is a fault of the farm; that of a dead one is what leases are for.</summary>
public abstract class LostLeaseFacts(StoreUnderTest store) : FarmFacts(store)
{
    [Fact]
    public async Task Reap_WorkerWasHeardOfMeanwhile_IsToldAsAlive()
    {
        var (lost, lease) = await HeldAsync();
        await Farm.ExpireLeaseAsync(lease.Id);

        Assert.Equal(1, await Farm.ReapAsync());
        Assert.Equal([new LostLease("demo", "rack-1", WorkerIsAlive: true, FailureReason.WorkerLost, WaitsAgain: true)], lost);
    }

    [Fact]
    public async Task Reap_WorkerWasSilentForHalfALease_IsToldAsSilent()
    {
        var (lost, lease) = await HeldAsync();
        var other = await Farm.RegisterAsync("rack-2", "demo");
        Farm.Time.Advance(TimeSpan.FromSeconds(new LeaseSettings().LeaseSeconds));
        await Farm.Workers.SeenAsync(other, Stop);
        await Farm.ExpireLeaseAsync(lease.Id);

        for (var look = 0; look < 20 && lost.Count == 0; look++)
        {
            await Farm.ReapUnheardAsync(Farm.Reaper);
        }

        Assert.False(Assert.Single(lost).WorkerIsAlive);
    }

    private async Task<(List<LostLease> Lost, LeasedJob Lease)> HeldAsync()
    {
        List<LostLease> lost = [];
        Farm.Database.LeasesLost += leases => lost.AddRange(leases);
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Denoising, 1);
        return (lost, lease);
    }
}
