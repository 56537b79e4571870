using Microsoft.EntityFrameworkCore;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Folders;
using RenderFarm.Jobs.Batches;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Persistence;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Maintenance;

public sealed class RetentionOnSqlite() : RowRetentionFacts(new SqliteStore());

public sealed class RetentionOnPostgres() : RowRetentionFacts(new PostgresStore());

public abstract class RowRetentionFacts(StoreUnderTest store) : FarmFacts(store), IDisposable
{
    private static readonly StoreOptions Options = new() { KeepDays = 30 };
    private readonly TemporaryFolder _folder = new();
    private DirectoryArtifactStore Objects => new(Path.Combine(_folder.Path, "objects"));
    private RowRetention Retention => new(Farm.Database, Objects, Options, Farm.Time);

    [Fact]
    public async Task RunOnce_JobsWithoutAResult_GoWithEverythingOfTheirsAfterTheKeepingTime()
    {
        var (failed, cancelled, deleted) = (await FailedAsync(), await CancelledAsync(), await CompletedAsync());
        await Farm.Jobs.DeleteAsync(deleted, JobScope.All, Stop);
        var (completed, queued) = (await CompletedAsync(), (await Farm.SubmitAsync()).Id);
        await Farm.Events.PlaceAsync(Stop);

        Farm.Time.Advance(TimeSpan.FromDays(Options.KeepDays) - TimeSpan.FromMinutes(1));
        Assert.Equal(0, await Retention.RunOnceAsync(Stop));
        Farm.Time.Advance(TimeSpan.FromMinutes(2));
        Assert.Equal(3, await Retention.RunOnceAsync(Stop));

        foreach (var gone in (string[])[failed, cancelled, deleted])
        {
            Assert.Equal((0, 0, 0), await RowsOfAsync(gone));
        }

        Assert.Equal((1, 1, 3), await RowsOfAsync(completed));
        Assert.Equal((1, 0, 1), await RowsOfAsync(queued));
    }

    [Fact]
    public async Task RunOnce_AnObjectIsStillStored_LeavesTheRowToTheJanitor()
    {
        var id = await CompletedAsync();
        await Farm.Jobs.DeleteAsync(id, JobScope.All, Stop);
        var key = ObjectKeys.For(ArtifactKind.Video, new LeaseName(id, 1, "0a1b2c3d4e5f"));
        await PutAsync(key);
        await LaterAsync();

        Assert.Equal(0, await Retention.RunOnceAsync(Stop));
        await Objects.DeleteAsync(key, Stop);
        Assert.Equal(1, await Retention.RunOnceAsync(Stop));
    }

    [Fact]
    public async Task RunOnce_NothingHappenedSince_KeepsTheNewestEventSoThatTheLogGoesOnAfterIt()
    {
        await FailedAsync();
        var last = await FailedAsync();
        await Farm.Events.PlaceAsync(Stop);
        var end = await Farm.Events.EndAsync(Stop);
        Farm.Time.Advance(TimeSpan.FromDays(Options.KeepDays) + TimeSpan.FromMinutes(1));

        Assert.Equal(1, await Retention.RunOnceAsync(Stop));
        Assert.Equal(1, (await RowsOfAsync(last)).Jobs);
        await Farm.SubmitAsync();
        await Farm.Events.PlaceAsync(Stop);
        Assert.Equal(end + 1, await Farm.Events.EndAsync(Stop));
    }

    [Fact]
    public async Task RunOnce_RunAgainInTheMeantime_Stays()
    {
        var id = await FailedAsync();
        await LaterAsync();
        await Farm.Jobs.RetryAsync(id, JobScope.All, Stop);

        Assert.Equal(0, await Retention.RunOnceAsync(Stop));
        Assert.Equal(JobState.Queued, (await Farm.GetAsync(id)).State);
    }

    [Fact]
    public async Task RunOnce_EmptiedBatchAndAWorkerNotHeardOf_GoToo()
    {
        var batches = new BatchStore(Farm.Database, Farm.Announcer, Farm.Time);
        var batch = BatchStore.NewId(Farm.Time);
        await batches.SubmitAsync(
            new NewBatch { Id = batch, KeyId = Farm.Key },
            [Farm.NewJob() with { BatchId = batch, BatchLine = 1 }],
            Stop
        );
        await batches.CancelAsync(batch, JobScope.All, Stop);
        var gone = await Farm.RegisterAsync("rack-of-old", "demo");
        await LaterAsync();
        await Farm.Workers.SeenAsync(Farm.Worker, Stop);

        Assert.Equal(1, await Retention.RunOnceAsync(Stop));
        Assert.Null(await batches.GetAsync(batch, JobScope.All, Stop));
        Assert.Null(await Farm.Workers.FindAsync(gone, Stop));
        Assert.NotNull(await Farm.Workers.FindAsync(Farm.Worker, Stop));
        Assert.NotNull(await Farm.Workers.FindModelAsync("demo", Stop));
    }

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task<string> FailedAsync()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.FailAsync(lease, FailureReason.InvalidRequest);
        return lease.Id;
    }

    private async Task<string> CancelledAsync()
    {
        var job = await Farm.SubmitAsync();
        await Farm.Jobs.CancelAsync(job.Id, JobScope.All, Stop);
        return job.Id;
    }

    private async Task<string> CompletedAsync()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Denoising);
        await Farm.CompleteAsync(lease);
        return lease.Id;
    }

    /// <summary>The keeping time is over, and something has happened since.</summary>
    private async Task LaterAsync()
    {
        Farm.Time.Advance(TimeSpan.FromDays(Options.KeepDays) + TimeSpan.FromMinutes(1));
        await Farm.SubmitAsync();
        await Farm.Events.PlaceAsync(Stop);
    }

    private Task<(int Jobs, int Leases, int Events)> RowsOfAsync(string id) =>
        Farm.Database.ReadAsync(
            async db =>
                (
                    await db.Jobs.CountAsync(j => j.Id == id, Stop),
                    await db.LeaseRecords.CountAsync(r => r.JobId == id, Stop),
                    await db.Events.CountAsync(e => e.JobId == id, Stop)
                ),
            Stop
        );

    private async Task PutAsync(string key)
    {
        var file = _folder.File("content");
        await File.WriteAllTextAsync(file, "x", Stop);
        await Objects.PutFileAsync(key, file, "video/mp4", await FileChecksum.Sha256Async(file, Stop), Stop);
    }
}
