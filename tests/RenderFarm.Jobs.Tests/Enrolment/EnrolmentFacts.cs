using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Jobs.Enrolment;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Workers;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests.Enrolment;

public sealed class EnrolmentOnSqlite() : EnrolmentFacts(new SqliteStore());

public sealed class EnrolmentOnPostgres() : EnrolmentFacts(new PostgresStore());

/// <summary>What has to hold whoever comes at the same time, and however often.</summary>
public abstract class EnrolmentFacts(StoreUnderTest store) : FarmFacts(store)
{
    private Invitations Invitations => new(Farm.Database, Farm.Time);
    private Enrolments Enrolments => new(Farm.Database, Farm.Time);
    private WorkerRevocation Revocation => new(Farm.Database, Farm.Workers, Farm.Endings, Farm.Keys, Farm.Time);

    [Fact]
    public async Task EnrollAsync_ManyHostsAtOnceByOneInvitation_LetsInAsManyAsItSays()
    {
        var token = await InviteAsync(uses: 3);

        var admitted = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => TryAsync(Request(token, $"host-{i}", i))));

        Assert.Equal(3, admitted.Count(id => id is not null));
        Assert.Empty(await Invitations.ListAsync(Stop));
    }

    /// <summary>A host whose answer takes long asks again: it is one worker with one key, and takes nobody else's place.</summary>
    [Fact]
    public async Task EnrollAsync_OneHostManyTimesAtOnce_IsOneEnrolment()
    {
        var token = await InviteAsync(uses: 3);

        var admitted = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TryAsync(Request(token, "host", 1))));

        var id = Assert.Single(admitted.Distinct());
        Assert.Equal(2, Assert.Single(await Invitations.ListAsync(Stop)).UsesLeft);
        var key = (await Farm.Keys.AuthenticateAsync(Secret(1), Stop))!;
        Assert.Equal((id, KeyScopes.Worker), (key.WorkerId, key.Scopes));
        Assert.Equal(id, await Farm.RegisterAsync(TestFarm.Registration("host", "demo"), key));
    }

    [Fact]
    public async Task EnrollAsync_InvitationThatIsOver_IsRefused()
    {
        var token = await InviteAsync(uses: 1);
        Farm.Time.Advance(TimeSpan.FromHours(1));

        Assert.Null(await TryAsync(Request(token, "host", 1)));
        Assert.Empty(await Invitations.ListAsync(Stop));
    }

    [Fact]
    public async Task EnrollAsync_InstallationThatIsAtWork_IsRefusedAndSpendsNothing()
    {
        var token = await InviteAsync(uses: 1);
        await Farm.RegisterAsync("rack-1", "demo");

        await Assert.ThrowsAsync<IdentityInUseException>(() => Enrolments.EnrollAsync(Request(token, "rack-1", 1), Stop));

        Assert.Single(await Invitations.ListAsync(Stop));
    }

    [Fact]
    public async Task RevokeAsync_WorkerWithAJob_GivesTheJobBackUnharmedAndCountsItNoMore()
    {
        var other = await Farm.RegisterAsync("rack-2", "demo");
        var job = await Farm.SubmitAsync();
        var lease = await Farm.LeaseAsync();
        await Farm.RenewAsync(lease, RenderStage.Denoising, 1);

        Assert.True(await Revocation.RevokeAsync(Farm.Worker, Stop));
        Assert.False(await Revocation.RevokeAsync(Farm.Worker, Stop));

        Assert.Null(await Farm.Workers.FindAsync(Farm.Worker, Stop));
        Assert.Equal(other, Assert.Single(await Farm.Workers.ListAsync(Stop)).Id);
        var model = (await Farm.Workers.FindModelAsync("demo", Stop))!;
        Assert.Equal((1, 1), (model.LiveWorkers, model.WholeWorkers));
        Assert.Equal(other, Assert.Single(await new ModelHolders(Farm.Database, Farm.Workers).AllAsync(Stop)).WorkerId);
        var again = (await Farm.TryLeaseAsync(worker: other))!;
        Assert.Equal((job.Id, 1), (again.Id, again.Attempt));
        await Assert.ThrowsAsync<WorkerRevokedException>(() => Farm.RegisterAsync("rack-1", "demo"));
        Assert.Equal(
            WorkerRight.Revoked,
            await new WorkerRights(Farm.Database, Farm.Time).OfLeaseAsync(Farm.WorkerKey, lease.Lease, Stop)
        );
    }

    private async Task<string> InviteAsync(int uses) => (await Invitations.CreateAsync(null, TimeSpan.FromHours(1), uses, Stop)).Token;

    /// <returns>Null where the invitation is not good.</returns>
    private async Task<string?> TryAsync(EnrollRequest request)
    {
        try
        {
            return await Enrolments.EnrollAsync(request, Stop);
        }
        catch (InvalidInvitationException)
        {
            return null;
        }
    }

    private static string Secret(int number) => $"rf_{number:x64}";

    private static EnrollRequest Request(string token, string name, int number) =>
        new()
        {
            Token = token,
            Secret = Secret(number),
            Identity = SimulatedWorker.IdentityOf(name),
            Name = name,
            Host = "test",
            Version = "1",
            Protocol = WorkerProtocol.Current,
        };
}
