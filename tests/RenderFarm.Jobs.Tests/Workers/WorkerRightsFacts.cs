using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Workers;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Workers;

public sealed class WorkerRightsOnSqlite() : WorkerRightsFacts(new SqliteStore());

public sealed class WorkerRightsOnPostgres() : WorkerRightsFacts(new PostgresStore());

public abstract class WorkerRightsFacts(StoreUnderTest store) : FarmFacts(store)
{
    /// <summary>A process of its own: nothing is remembered from before.</summary>
    private WorkerRights Rights => new(Farm.Database, Farm.Time);

    [Fact]
    public async Task OfWorkerAsync_IsOwnForTheKeyItRegisteredWith()
    {
        var other = await Farm.NewWorkerKeyAsync();

        Assert.Equal(WorkerRight.Own, await Rights.OfWorkerAsync(Farm.WorkerKey, Farm.Worker, SimulatedWorker.Instance, Stop));
        Assert.Equal(WorkerRight.Others, await Rights.OfWorkerAsync(other, Farm.Worker, SimulatedWorker.Instance, Stop));
        Assert.Equal(WorkerRight.Unknown, await Rights.OfWorkerAsync(other, "worker_of_nobody", SimulatedWorker.Instance, Stop));
    }

    [Fact]
    public async Task OfLeaseAsync_GoesByTheWorkerAndTheTokenTogether()
    {
        var other = await Farm.NewWorkerKeyAsync();
        await Farm.SubmitAsync();
        var lease = (await Farm.LeaseAsync()).Lease;

        Assert.Equal(WorkerRight.Own, await Rights.OfLeaseAsync(Farm.WorkerKey, lease, Stop));
        Assert.Equal(WorkerRight.Others, await Rights.OfLeaseAsync(other, lease, Stop));
        Assert.Equal(WorkerRight.Unknown, await Rights.OfLeaseAsync(Farm.WorkerKey, lease with { Token = LeaseToken.New() }, Stop));
    }

    /// <summary>A report may come late, or twice: what has become of its lease is for those to say who end leases.</summary>
    [Fact]
    public async Task OfLeaseAsync_LeaseThatHasEnded_IsStillItsWorkers()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.ReleaseAsync(lease);

        Assert.Equal(WorkerRight.Own, await Rights.OfLeaseAsync(Farm.WorkerKey, lease.Lease, Stop));
    }

    [Fact]
    public async Task OfJobAsync_IsOwnOnlyWhileTheNewestLeaseStands()
    {
        var other = await Farm.NewWorkerKeyAsync();
        var job = await Farm.SubmitAsync();
        Assert.Equal(WorkerRight.Unknown, await Rights.OfJobAsync(Farm.WorkerKey, job.Id, Stop));

        await Farm.RenewAsync(await Farm.LeaseAsync(), RenderStage.Denoising);
        Assert.Equal(WorkerRight.Own, await Rights.OfJobAsync(Farm.WorkerKey, job.Id, Stop));
        Assert.Equal(WorkerRight.Others, await Rights.OfJobAsync(other, job.Id, Stop));

        // Lost, and nobody has the job: its worker may be back in a moment.
        await Farm.ExpireLeaseAsync(job.Id);
        await Farm.ReapAsync();
        Assert.Equal(JobState.Queued, (await Farm.GetAsync(job.Id)).State);
        Assert.Equal(WorkerRight.Own, await Rights.OfJobAsync(Farm.WorkerKey, job.Id, Stop));

        await Farm.EndBackOffAsync(job.Id);
        await Farm.ReleaseAsync(await Farm.LeaseAsync());
        Assert.Equal(WorkerRight.Unknown, await Rights.OfJobAsync(Farm.WorkerKey, job.Id, Stop));
    }

    [Fact]
    public async Task RegisterAsync_WithAnotherKey_ThatOneSpeaksForItFromThenOn()
    {
        var next = await Farm.NewWorkerKeyAsync();
        Assert.Equal(Farm.Worker, await Farm.RegisterAsync(TestFarm.Registration("rack-1", "demo"), next));

        Assert.Equal(WorkerRight.Own, await Rights.OfWorkerAsync(next, Farm.Worker, SimulatedWorker.Instance, Stop));
        Assert.Equal(WorkerRight.Others, await Rights.OfWorkerAsync(Farm.WorkerKey, Farm.Worker, SimulatedWorker.Instance, Stop));
    }

    /// <summary>A worker that an API of before registered renews on while that one is replaced.</summary>
    [Fact]
    public async Task WorkerFromBefore_IsTheKeysThatProvesALeaseOfItFirst()
    {
        var other = await Farm.NewWorkerKeyAsync();
        var job = await Farm.SubmitAsync();
        var lease = (await Farm.LeaseAsync()).Lease;
        await Farm.SqlAsync(_ => "UPDATE workers SET key_id = NULL WHERE id = @id", Farm.Worker);

        // Who names the job alone has proved nothing.
        Assert.Equal(WorkerRight.Others, await Rights.OfJobAsync(other, job.Id, Stop));
        Assert.Equal(WorkerRight.Others, await Rights.OfWorkerAsync(other, Farm.Worker, "another start", Stop));
        Assert.Equal(WorkerRight.Unknown, await Rights.OfLeaseAsync(other, lease with { Token = LeaseToken.New() }, Stop));

        Assert.Equal(WorkerRight.Own, await Rights.OfLeaseAsync(Farm.WorkerKey, lease, Stop));
        Assert.Equal(WorkerRight.Others, await Rights.OfLeaseAsync(other, lease, Stop));
    }

    [Fact]
    public async Task Grant_IsRememberedForAsLongAsAKeyIs()
    {
        var (rights, next) = (Rights, await Farm.NewWorkerKeyAsync());
        Assert.Equal(WorkerRight.Own, await rights.OfWorkerAsync(Farm.WorkerKey, Farm.Worker, SimulatedWorker.Instance, Stop));
        await Farm.RegisterAsync(TestFarm.Registration("rack-1", "demo"), next);

        Farm.Time.Advance(ApiKeys.CacheFor - TimeSpan.FromSeconds(1));
        Assert.Equal(WorkerRight.Own, await rights.OfWorkerAsync(Farm.WorkerKey, Farm.Worker, SimulatedWorker.Instance, Stop));
        Farm.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(WorkerRight.Others, await rights.OfWorkerAsync(Farm.WorkerKey, Farm.Worker, SimulatedWorker.Instance, Stop));
        Assert.Equal(WorkerRight.Own, await rights.OfWorkerAsync(next, Farm.Worker, SimulatedWorker.Instance, Stop));
    }
}
