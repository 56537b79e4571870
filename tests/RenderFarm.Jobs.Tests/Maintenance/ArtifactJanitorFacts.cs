using Microsoft.Extensions.Logging.Abstractions;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Folders;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Jobs.Results;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Maintenance;

public sealed class JanitorOnSqlite() : ArtifactJanitorFacts(new SqliteStore());

public sealed class JanitorOnPostgres() : ArtifactJanitorFacts(new PostgresStore());

public abstract class ArtifactJanitorFacts(StoreUnderTest store) : FarmFacts(store), IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private DirectoryArtifactStore Objects => new(Path.Combine(_folder.Path, "objects"));
    private ArtifactJanitor Janitor =>
        new(
            Farm.Database,
            Objects,
            new ResultAdoption(
                Farm.Database,
                Objects,
                new ResultManifests(Farm.Database, Objects, Farm.Time),
                Farm.Time,
                NullLogger<ResultAdoption>.Instance
            ),
            Farm.Time,
            NullLogger<ArtifactJanitor>.Instance
        );

    [Fact]
    public async Task RunOnce_LosingAndWinningFence_RemovesOnlyTheLosersOldObjects()
    {
        var job = await Farm.SubmitAsync();
        var first = await Farm.LeaseAsync();
        await PutAsync(ObjectKeys.For(ArtifactKind.Video, first.Lease.Name));
        await Farm.ReleaseAsync(first);
        var second = await Farm.LeaseAsync();
        await PutAsync(ObjectKeys.For(ArtifactKind.Video, second.Lease.Name));
        await Farm.CompleteAsync(second);

        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));
        Farm.Time.Advance(ArtifactJanitor.LeastAge + TimeSpan.FromMinutes(1));
        Assert.Equal(1, await Janitor.RunOnceAsync(Stop));

        Assert.Equal([ObjectKeys.For(ArtifactKind.Video, second.Lease.Name)], await KeysAsync());
    }

    /// <summary>A deletion can be taken back as long as nothing of it is removed, and from then on not.</summary>
    [Fact]
    public async Task RunOnce_DeletedJob_IsUndeletedBeforeItsFilesGo_AndNeverAfter()
    {
        var job = await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await PutAsync(ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name));
        await Farm.CompleteAsync(lease);
        Farm.Time.Advance(ArtifactJanitor.LeastAge + TimeSpan.FromMinutes(1));

        await Farm.Jobs.DeleteAsync(job.Id, JobScope.All, Stop);
        Assert.IsType<UndeleteResult.Seen>(await Farm.Jobs.UndeleteAsync(job.Id, JobScope.All, Stop));
        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));

        await Farm.Jobs.DeleteAsync(job.Id, JobScope.All, Stop);
        Assert.Equal(1, await Janitor.RunOnceAsync(Stop));
        Assert.IsType<UndeleteResult.Gone>(await Farm.Jobs.UndeleteAsync(job.Id, JobScope.All, Stop));
        Assert.Null(await Farm.Jobs.GetAsync(job.Id, JobScope.All, Stop));
    }

    /// <summary>Its worker may be back with it, or it may be found: nothing else is there of a job that waits.</summary>
    [Fact]
    public async Task RunOnce_LeaseOfAJobThatWaitsAgain_KeepsItsObjects()
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await PutAsync(ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name));
        await Farm.ReleaseAsync(lease);
        Farm.Time.Advance(TimeSpan.FromDays(2));

        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));
        Assert.Single(await KeysAsync());
    }

    /// <summary>After a failover, the same fence was granted twice: its second holder has won, and the first is in no row.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RunOnce_LeaseThatTheDatabaseHasForgotten_GoesOnlyBesideAResult(bool hasResult)
    {
        await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        var forgotten = ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name with { Digest = "0a1b2c3d4e5f" });
        var known = ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name);
        await PutAsync(forgotten);
        await PutAsync(known);
        await (hasResult ? Farm.CompleteAsync(lease) : Farm.FailAsync(lease, FailureReason.InvalidRequest));
        Farm.Time.Advance(TimeSpan.FromDays(2));

        var janitor = Janitor;
        Assert.Equal(1, await janitor.RunOnceAsync(Stop));
        Assert.Equal(hasResult ? 0 : 1, janitor.Findings!.Unclaimed);
        Assert.Equal([hasResult ? known : forgotten], await KeysAsync());
    }

    [Fact]
    public async Task RunOnce_LeaseUnderWayOrJobUnknown_TouchesNothing()
    {
        var job = await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await PutAsync(ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name));
        await PutAsync(ObjectKeys.For(ArtifactKind.Video, new LeaseName("video_of_another_farm", 1, "0a1b2c3d4e5f")));
        await PutAsync("videos/readme.txt");
        Farm.Time.Advance(TimeSpan.FromDays(30));

        Assert.Equal(0, await Janitor.RunOnceAsync(Stop));
        Assert.Equal(3, (await KeysAsync()).Count);
    }

    [Fact]
    public async Task RunOnce_DeletedOrExpired_RemovesEverythingOfTheJob()
    {
        var deleted = await FinishedAsync(Farm.NewJob());
        await Farm.Jobs.DeleteAsync(deleted, JobScope.All, Stop);
        var expired = await FinishedAsync(Farm.NewJob() with { ExpiresAfter = TimeSpan.FromHours(1) });
        var kept = await FinishedAsync(Farm.NewJob());
        Farm.Time.Advance(ArtifactJanitor.LeastAge + TimeSpan.FromMinutes(1));
        await new ExpirySweep(Farm.Database, Farm.Time).RunOnceAsync(Stop);

        Assert.Equal(4, await Janitor.RunOnceAsync(Stop));
        Assert.All(await KeysAsync(), key => Assert.Contains(kept, key, StringComparison.Ordinal));
        Assert.Equal(2, (await KeysAsync()).Count);
        Assert.Equal(JobState.Expired, (await Farm.GetAsync(expired)).State);
    }

    /// <summary>Half of the store, and more than may go at once of what was lost: the owner wished it so.</summary>
    [Fact]
    public async Task RunOnce_HalfOfTheVideosDeletedByTheirOwner_FreesThemAll()
    {
        var ids = new List<string>();
        for (var i = 0; i < 60; i++)
        {
            ids.Add(await FinishedAsync(Farm.NewJob()));
        }

        foreach (var id in ids.Take(30))
        {
            await Farm.Jobs.DeleteAsync(id, JobScope.All, Stop);
        }

        Farm.Time.Advance(ArtifactJanitor.LeastAge + TimeSpan.FromMinutes(1));

        Assert.Equal(60, await Janitor.RunOnceAsync(Stop));
        var left = await KeysAsync();
        Assert.Equal(60, left.Count);
        Assert.All(ids.Skip(30), id => Assert.Equal(2, left.Count(key => key.Contains(id, StringComparison.Ordinal))));
    }

    [Fact]
    public async Task RunOnce_ObjectsWithoutARow_AreCountedAndLeftForTheAudit()
    {
        var known = await FinishedAsync(Farm.NewJob());
        string[] strangers = ["inputs/video_of_another/input_reference", "videos/readme.txt", "videos/video_of_another/1/video.mp4"];
        foreach (var key in strangers)
        {
            await PutAsync(key);
        }

        Farm.Time.Advance(TimeSpan.FromDays(8));
        var janitor = Janitor;
        Assert.Null(janitor.Findings);
        Assert.Equal(0, await janitor.RunOnceAsync(Stop));
        Assert.Equal(new JanitorFindings(3, 3, 0), janitor.Findings);

        var audit = new ArtifactAudit(Farm.Database, Objects, Farm.Time);
        var week = ArtifactAudit.UsualAge;
        Assert.Equal(strangers, (await audit.ListAsync(week, 10, null, Stop)).Select(one => one.Key));
        Assert.Equal(strangers[1..], (await audit.ListAsync(week, 1, strangers[0], Stop)).Select(one => one.Key));
        Assert.Empty(await audit.ListAsync(TimeSpan.FromDays(9), 10, null, Stop));
        Assert.Equal(strangers[..2], (await audit.RemoveAsync(week, 2, Stop)).Select(one => one.Key));
        Assert.Equal(strangers[2..], (await audit.RemoveAsync(week, 2, Stop)).Select(one => one.Key));
        Assert.All(await KeysAsync(), key => Assert.Contains(known, key, StringComparison.Ordinal));
    }

    [Fact]
    public async Task RunOnce_MoreLostThanItsShareOfALargeStore_RemovesNoneOfThem()
    {
        var job = await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        for (var i = 0; i <= ArtifactJanitor.AlwaysAllowed; i++)
        {
            await PutAsync($"{ObjectKeys.Of(lease.Lease.Name)}{i}.webp");
        }

        await Farm.FailAsync(lease, FailureReason.InvalidRequest);
        Farm.Time.Advance(TimeSpan.FromDays(2));

        var janitor = Janitor;
        Assert.Equal(0, await janitor.RunOnceAsync(Stop));
        Assert.Equal(ArtifactJanitor.AlwaysAllowed + 1, janitor.Findings!.HeldBack);
        Assert.Equal(ArtifactJanitor.AlwaysAllowed + 1, (await KeysAsync()).Count);
    }

    public void Dispose()
    {
        _folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task<string> FinishedAsync(RenderFarm.Jobs.Intake.NewJob job)
    {
        await Farm.SubmitAsync(job);
        var lease = await Farm.LeaseAsync();
        await PutAsync(ObjectKeys.For(ArtifactKind.Video, lease.Lease.Name));
        await PutAsync(ObjectKeys.Input(job.Id, "input_reference"));
        await Farm.CompleteAsync(lease);
        return job.Id;
    }

    private async Task PutAsync(string key)
    {
        var file = _folder.File("content");
        await File.WriteAllTextAsync(file, "x", Stop);
        await Objects.PutFileAsync(key, file, "video/mp4", await FileChecksum.Sha256Async(file, Stop), Stop);
    }

    private async Task<List<string>> KeysAsync() => await Objects.ListAsync("", Stop).Select(stored => stored.Key).ToListAsync(Stop);
}
