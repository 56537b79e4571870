using Microsoft.Extensions.Logging.Abstractions;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Folders;
using RenderFarm.Jobs.Intake;
using RenderFarm.Jobs.Leasing;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Results;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Maintenance;

public sealed class AdoptionOnSqlite() : ResultAdoptionFacts(new SqliteStore());

public sealed class AdoptionOnPostgres() : ResultAdoptionFacts(new PostgresStore());

public abstract class ResultAdoptionFacts(StoreUnderTest store) : FarmFacts(store), IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private DirectoryArtifactStore Objects => new(Path.Combine(_folder.Path, "objects"));
    private ResultManifests Manifests => new(Farm.Database, Objects, Farm.Time);
    private ArtifactJanitor Janitor =>
        new(
            Farm.Database,
            Objects,
            new ResultAdoption(Farm.Database, Objects, Manifests, Farm.Time, NullLogger<ResultAdoption>.Instance),
            Farm.Time,
            NullLogger<ArtifactJanitor>.Instance
        );

    [Fact]
    public async Task RunOnce_JobThatWaitsAndWasCompleted_IsCompletedAgain()
    {
        var job = await Farm.SubmitAsync(Farm.NewJob() with { ExpiresAfter = TimeSpan.FromHours(1) });
        var before = await CompletedAsync();
        await ForgetCompletionAsync(job.Id);

        Assert.Equal(1, await Janitor.RunOnceAsync(Stop));

        var again = await Farm.GetAsync(job.Id);
        Assert.Equal((JobState.Completed, RenderStage.Done, before.WinningFence), (again.State, again.Stage, again.WinningFence));
        Assert.Equal(before.Artifacts, again.Artifacts);
        Assert.Equal((before.FinishedAt, before.ExpiresAt), (again.FinishedAt, again.ExpiresAt));
        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));
        Assert.Null(await Farm.TryLeaseAsync());
    }

    [Fact]
    public async Task RunOnce_JobThatTheDatabaseHasForgotten_ComesBackWithItsRequest()
    {
        var request = Farm.NewJob() with
        {
            IdempotencyKey = "client-1",
            RequestHash = "hash",
            WebhookUrl = "https://example.org/secret",
            Metadata = new Dictionary<string, string> { ["shot"] = "7" },
        };
        await Farm.SubmitAsync(request);
        var before = await CompletedAsync();
        await ForgetAsync(before.Id);

        Assert.Equal(1, await Janitor.RunOnceAsync(Stop));

        var again = await Farm.GetAsync(before.Id);
        Assert.Equal((JobState.Completed, before.KeyId, before.CreatedAt), (again.State, again.KeyId, again.CreatedAt));
        Assert.Equivalent(before.Spec, again.Spec, strict: true);
        Assert.Equal(before.Artifacts, again.Artifacts);
        Assert.Equal("7", again.Metadata!["shot"]);
        Assert.Null(again.WebhookUrl);
        Assert.IsType<SubmitResult.Existing>(await Farm.Jobs.SubmitAsync(request with { Id = JobIds.New(Farm.Time) }, Stop));
    }

    [Fact]
    public async Task RunOnce_ClientThatHasSentItsRequestAgain_KeepsTheNewVideo()
    {
        var request = Farm.NewJob() with { IdempotencyKey = "client-1", RequestHash = "hash" };
        await Farm.SubmitAsync(request);
        var before = await CompletedAsync();
        await ForgetAsync(before.Id);
        var anew = await Farm.SubmitAsync(request with { Id = JobIds.New(Farm.Time) });

        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));
        Assert.Equal(JobState.Queued, (await Farm.GetAsync(anew.Id)).State);
        Assert.Null(await Farm.Jobs.GetAsync(before.Id, JobScope.All, Stop));
    }

    [Fact]
    public async Task RunOnce_KeyThatNobodyKnows_LeavesTheResultAlone()
    {
        await Farm.SubmitAsync();
        var before = await CompletedAsync();
        await ForgetAsync(before.Id);
        await Farm.SqlAsync(_ => "UPDATE api_keys SET id = 'key_of_before' WHERE id = @id", Farm.Key);

        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));
        Assert.NotNull(await Objects.StatAsync(before.Artifacts.Single().Key, Stop));
    }

    [Fact]
    public async Task RunOnce_JobThatIsAtWorkAgain_IsLeftToItsWorker()
    {
        var job = await Farm.SubmitAsync();
        await CompletedAsync();
        await ForgetCompletionAsync(job.Id);
        var again = await Farm.LeaseAsync();

        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));
        Assert.Equal(JobState.Completed, (await CompleteAsync(again)).State);
        Assert.Equal(ObjectKeys.For(ArtifactKind.Video, again.Lease.Name), (await Farm.GetAsync(job.Id)).Artifacts.Single().Key);
    }

    [Fact]
    public async Task RunOnce_FilesThatAreNotAllThere_IsRenderedAgain()
    {
        var job = await Farm.SubmitAsync();
        var before = await CompletedAsync();
        await ForgetCompletionAsync(job.Id);
        await Objects.DeleteAsync(before.Artifacts.Single().Key, Stop);

        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));
        Assert.NotNull(await Farm.TryLeaseAsync());
    }

    [Fact]
    public async Task RunOnce_CancelledOrDeletedOrFinished_StaysAsItIs()
    {
        var cancelled = await Farm.SubmitAsync();
        await CompletedAsync();
        await ForgetCompletionAsync(cancelled.Id);
        await Farm.Jobs.CancelAsync(cancelled.Id, JobScope.All, Stop);
        var finished = await Farm.SubmitAsync();
        await CompletedAsync();

        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));
        Assert.Equal(JobState.Cancelled, (await Farm.GetAsync(cancelled.Id)).State);
        Assert.Equal(JobState.Completed, (await Farm.GetAsync(finished.Id)).State);
    }

    [Fact]
    public async Task Write_LeaseThatTheDatabaseDoesNotKnow_WritesNothing()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        var forged = lease with { Lease = lease.Lease with { Token = LeaseToken.New() } };
        await Manifests.WriteAsync(await ReportAsync(forged), Stop);
        Assert.Null(await Objects.StatAsync(ObjectKeys.Manifest(forged.Lease.Name), Stop));
    }

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The newest job as its worker and the API complete it: objects, manifest, row.</summary>
    private async Task<Job> CompletedAsync() => await CompleteAsync(await Farm.LeaseAsync());

    private async Task<Job> CompleteAsync(LeasedJob lease)
    {
        var report = await ReportAsync(lease);
        await Manifests.WriteAsync(report, Stop);
        await Farm.Desk.CompleteAsync(report, Stop);
        return await Farm.GetAsync(lease.Id);
    }

    private async Task<Reported<CompleteRequest>> ReportAsync(LeasedJob lease)
    {
        var (key, path) = (ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name), _folder.File("video"));
        await File.WriteAllTextAsync(path, "video", Stop);
        var sum = await FileChecksum.Sha256Async(path, Stop);
        await Objects.EnsureReadyAsync(Stop);
        await Objects.PutFileAsync(key, path, "video/mp4", sum, Stop);
        return new(lease.Lease, new CompleteRequest { Artifacts = [new Artifact(ArtifactKind.Video, key, "video/mp4", 5, sum)] });
    }

    /// <summary>The row as it was in the dump: before the lease under which the job was completed.</summary>
    private async Task ForgetCompletionAsync(string id)
    {
        await Farm.SqlAsync(
            _ =>
                """
                UPDATE jobs SET finished_at = NULL, expires_at = NULL, winning_fence = NULL, artifacts = NULL, state = 'queued'
                WHERE id = @id
                """,
            id
        );
        await Farm.TakeBackLeaseAsync(id);
    }

    private Task ForgetAsync(string id) => Farm.SqlAsync(_ => "DELETE FROM jobs WHERE id = @id", id);
}
