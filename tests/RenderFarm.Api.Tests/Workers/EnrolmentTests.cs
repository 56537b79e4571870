using System.Net;
using System.Net.Http.Json;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Workers;

/// <summary>How a host becomes a worker, and how it is one no more.</summary>
[SupportedOSPlatform("linux")]
public sealed class EnrolmentTests : IAsyncLifetime
{
    private const string Secret = "rf_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private TestFarm _farm = null!;

    public async ValueTask InitializeAsync() => _farm = await TestFarm.StartAsync("--Api:PublicUrl=https://farm.example:8080");

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Invitation_IsShownOnceAndLeadsToTheFarm()
    {
        var made = await InviteAsync(new { expires_in = 600, uses = 2 });

        Assert.True(JoinLine.TryParse((string)made["join"]!, out var line));
        Assert.Equal((new Uri("https://farm.example:8080/"), null), (line.Farm, line.CertificateSha256));
        Assert.Equal(("worker.invitation", 2), ((string)made["object"]!, (int)made["uses_left"]!));
        var listed = Assert.Single((await (await _farm.User.GetAsync("/v1/workers/invitations")).JsonAsync())["data"]!.AsArray())!;
        Assert.Equal((string)made["id"]!, (string)listed["id"]!);
        Assert.Null(listed["join"]);
        Assert.DoesNotContain(line.Token, listed.ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"expires_in":59}""", "expires_in")]
    [InlineData("""{"expires_in":604801}""", "expires_in")]
    [InlineData("""{"uses":0}""", "uses")]
    [InlineData("""{"uses":2,"name":"rack-1"}""", "name")]
    [InlineData("""{"name":"rack\u001b[2J"}""", "name")]
    public async Task Invitation_OutOfBounds_IsRefusedByTheField(string body, string field)
    {
        var reply = await _farm.User.PostAsync("/v1/workers/invitations", JsonContent.Create(JsonNode.Parse(body)));
        var (status, _, param, _) = await reply.RefusalAsync();
        Assert.Equal((400, field), (status, param));
    }

    [Fact]
    public async Task Enroll_MakesAWorkerWithAKeyThatSpeaksForItAlone()
    {
        var token = await TokenAsync(new { name = "the old one" });

        var enrolled = await (await EnrollAsync(token)).ContractAsync<EnrollReply>();
        Assert.Null(enrolled.Bus);
        using var worker = _farm.ClientWith(Secret);
        Assert.Equal(enrolled.WorkerId, await RegisterAsync(worker, "w1"));
        Assert.Equal("the old one", (string)(await WorkerAsync(enrolled.WorkerId))["name"]!);

        await _farm.SubmitAsync();
        var lease = (await LeaseAsync(worker, enrolled.WorkerId))!;
        Assert.Equal(HttpStatusCode.OK, (await RenewAsync(worker, lease)).StatusCode);

        // Neither with the key of the hosts that share one, nor for another installation with this one.
        Assert.Equal((403, "wrong_worker"), await RefusalAsync(await SendRegistrationAsync(_farm.Worker, "w1")));
        Assert.Equal((403, "wrong_worker"), await RefusalAsync(await SendRegistrationAsync(worker, "w2")));
        Assert.Equal((403, "wrong_worker"), await RefusalAsync(await RenewAsync(_farm.Worker, lease)));
        Assert.Equal((403, "missing_scope"), await RefusalAsync(await worker.GetAsync("/v1/videos")));
    }

    [Fact]
    public async Task Enroll_ASecondTimeWithTheSameSecret_IsTheSameEnrolment()
    {
        var token = await TokenAsync(new { });
        var first = await (await EnrollAsync(token)).ContractAsync<EnrollReply>();

        Assert.Equal(first.WorkerId, (await (await EnrollAsync(token)).ContractAsync<EnrollReply>()).WorkerId);
        // As at every later start.
        Assert.Equal(first.WorkerId, (await (await EnrollAsync("")).ContractAsync<EnrollReply>()).WorkerId);
        Assert.Empty((await (await _farm.User.GetAsync("/v1/workers/invitations")).JsonAsync())["data"]!.AsArray());
    }

    [Fact]
    public async Task Enroll_WithWhatIsNoGoodInvitation_Is401WithoutSayingWhy()
    {
        var used = await TokenAsync(new { });
        (await EnrollAsync(used)).EnsureSuccessStatusCode();
        var withdrawn = await InviteAsync(new { });
        Assert.True(JoinLine.TryParse((string)withdrawn["join"]!, out var line));
        (await _farm.User.DeleteAsync($"/v1/workers/invitations?id={withdrawn["id"]}")).EnsureSuccessStatusCode();

        var messages = new HashSet<string>();
        foreach (var token in new[] { used, line.Token, "rfi_" + new string('0', 48), "" })
        {
            var (status, code, _, message) = await (await EnrollAsync(token, Secret.Replace('0', '1'), "w2")).RefusalAsync();
            Assert.Equal((401, "invalid_invitation"), (status, code));
            messages.Add(message);
        }

        Assert.Single(messages);
        // A key of another kind is no enrolment.
        Assert.Equal((401, "invalid_invitation"), await RefusalAsync(await EnrollAsync("", _farm.AdminKey, "w3")));
    }

    [Fact]
    public async Task Withdraw_NamesWhatIsGoodNoMore()
    {
        var ids = new List<string> { (string)(await InviteAsync(new { }))["id"]!, (string)(await InviteAsync(new { }))["id"]! };

        Assert.Equal((404, "not_found"), await RefusalAsync(await _farm.User.DeleteAsync("/v1/workers/invitations?id=invitation_1")));
        Assert.Equal((400, "unknown_parameter"), await RefusalAsync(await _farm.User.DeleteAsync("/v1/workers/invitations?all=1")));
        // An empty one is a slip, and withdraws nothing
        Assert.Equal((400, "invalid_value"), await RefusalAsync(await _farm.User.DeleteAsync("/v1/workers/invitations?id=")));
        var withdrawn = await (await _farm.User.DeleteAsync("/v1/workers/invitations")).JsonAsync();

        Assert.Equal(ids, withdrawn["deleted"]!.AsArray().Select(id => (string)id!));
        Assert.Empty((await (await _farm.User.GetAsync("/v1/workers/invitations")).JsonAsync())["data"]!.AsArray());
    }

    [Fact]
    public async Task Enroll_GuessedTokens_AreHeldBackByAddress()
    {
        await using var strict = await TestFarm.StartAsync("--Keys:WrongKeysPerMinute=3");
        var answers = new List<(int, string)>();
        for (var i = 0; i < 5; i++)
        {
            answers.Add(await RefusalAsync(await EnrollAsync($"rfi_{i}", farm: strict)));
        }

        Assert.Equal([.. Enumerable.Repeat((401, "invalid_invitation"), 3), .. Enumerable.Repeat((429, "rate_limited"), 2)], answers);
    }

    [Theory]
    [InlineData("secret", "rf_short", "w1", WorkerProtocol.Current, 400)]
    [InlineData("name", Secret, "", WorkerProtocol.Current, 400)]
    [InlineData(null, Secret, "w1", WorkerProtocol.Oldest - 1, 426)]
    public async Task Enroll_WithWhatCantBe_IsRefusedByTheField(string? field, string secret, string name, int protocol, int status)
    {
        var refusal = await (await EnrollAsync(await TokenAsync(new { }), secret, name, protocol: protocol)).RefusalAsync();
        Assert.Equal((status, field), (refusal.Status, refusal.Param));
    }

    /// <summary>Within 15 s everywhere, and at once at the API that was told.</summary>
    [Fact]
    public async Task Revoke_EndsTheKeyAndGivesItsJobToAnother()
    {
        var enrolled = await (await EnrollAsync(await TokenAsync(new { }))).ContractAsync<EnrollReply>();
        using var worker = _farm.ClientWith(Secret);
        await RegisterAsync(worker, "w1");
        var id = (string)(await _farm.SubmitAsync())["id"]!;
        var lease = (await LeaseAsync(worker, enrolled.WorkerId))!;
        (await RenewAsync(worker, lease)).EnsureSuccessStatusCode();
        var other = await _farm.RegisterWorkerAsync("w2");

        (await _farm.User.DeleteAsync($"/v1/workers/{enrolled.WorkerId}")).EnsureSuccessStatusCode();

        Assert.Equal((401, "key_revoked"), await RefusalAsync(await RenewAsync(worker, lease)));
        Assert.Equal((401, "key_revoked"), await RefusalAsync(await SendRegistrationAsync(worker, "w1")));
        Assert.Equal((401, "invalid_invitation"), await RefusalAsync(await EnrollAsync("")));
        Assert.Equal(HttpStatusCode.NotFound, (await _farm.User.GetAsync($"/v1/workers/{enrolled.WorkerId}")).StatusCode);
        var again = (await _farm.LeaseAsync(other))!;
        Assert.Equal((id, lease.Fence + 1, 1), (again.JobId, again.Fence, again.Attempt));
    }

    /// <summary>One that shares its key with others is out, and the others go on.</summary>
    [Fact]
    public async Task Revoke_AWorkerWithASharedKey_LeavesTheOthersIn()
    {
        var (one, other) = (await _farm.RegisterWorkerAsync("w1"), await _farm.RegisterWorkerAsync("w2"));

        (await _farm.User.DeleteAsync($"/v1/workers/{one}")).EnsureSuccessStatusCode();

        Assert.Equal((401, "key_revoked"), await RefusalAsync(await SendRegistrationAsync(_farm.Worker, "w1")));
        Assert.Null(await _farm.LeaseAsync(other));
        Assert.Equal(other, await _farm.RegisterWorkerAsync("w2"));

        // An invitation brings it back, as the worker that it was.
        var enrolled = await (await EnrollAsync(await TokenAsync(new { }))).ContractAsync<EnrollReply>();
        Assert.Equal(one, enrolled.WorkerId);
    }

    [Fact]
    public async Task Rename_StandsWhateverTheWorkerCallsItself()
    {
        var id = await _farm.RegisterWorkerAsync("w1");

        var renamed = await (await _farm.User.PatchAsJsonAsync($"/v1/workers/{id}", new { name = "the quick one" })).JsonAsync();
        Assert.Equal("the quick one", (string)renamed["name"]!);
        await _farm.RegisterWorkerAsync("w1");
        Assert.Equal("the quick one", (string)(await WorkerAsync(id))["name"]!);

        await _farm.User.PatchAsJsonAsync($"/v1/workers/{id}", new { name = (string?)null });
        Assert.Equal("w1", (string)(await WorkerAsync(id))["name"]!);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":" "}""")]
    [InlineData("""{"name":"two\nlines"}""")]
    [InlineData("""{"name":"a\u001b[31mb"}""")]
    public async Task Rename_WithoutANameThatCanBeRead_IsRefusedByTheField(string body)
    {
        var id = await _farm.RegisterWorkerAsync("w1");
        var (status, _, param, _) = await (
            await _farm.User.PatchAsync($"/v1/workers/{id}", JsonContent.Create(JsonNode.Parse(body)))
        ).RefusalAsync();
        Assert.Equal((400, "name"), (status, param));
    }

    /// <summary>As for a container that shares the file with the API's.</summary>
    [Fact]
    public async Task InvitationFile_HoldsAGoodOneThatNobodyElseReads()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("invitation");
        await using var farm = await TestFarm.StartAsync($"--Keys:InvitationFile={file}", "--Api:PublicUrl=http://api:8080");
        await Eventually.TrueAsync(() => Task.FromResult(File.Exists(file)), TimeSpan.FromSeconds(30), "the invitation");

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.True(JoinLine.TryParse(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), out var line));
        Assert.Equal(new Uri("http://api:8080"), line.Farm);
        (await EnrollAsync(line.Token, farm: farm)).EnsureSuccessStatusCode();
        (await EnrollAsync(line.Token, Secret.Replace('0', '1'), "w2", farm)).EnsureSuccessStatusCode();
    }

    [Fact]
    public async Task InvitationFile_WithoutAnAddressForWorkers_IsRefusedByTheSetting()
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => TestFarm.StartAsync("--Keys:InvitationFile=/tmp/none"));
        Assert.Contains("Api:PublicUrl", fault.Message, StringComparison.Ordinal);
    }

    private static async Task<(int, string)> RefusalAsync(HttpResponseMessage reply)
    {
        var (status, code, _, _) = await reply.RefusalAsync();
        return (status, code);
    }

    private async Task<JsonNode> InviteAsync(object fields)
    {
        var reply = await _farm.User.PostAsJsonAsync("/v1/workers/invitations", fields);
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
        return await reply.JsonAsync();
    }

    private async Task<string> TokenAsync(object fields)
    {
        Assert.True(JoinLine.TryParse((string)(await InviteAsync(fields))["join"]!, out var line));
        return line.Token;
    }

    private async Task<HttpResponseMessage> EnrollAsync(
        string token,
        string secret = Secret,
        string name = "w1",
        TestFarm? farm = null,
        int protocol = WorkerProtocol.Current
    )
    {
        using var nobody = (farm ?? _farm).ClientWith(null);
        return await nobody.PostContractAsync(
            "/worker/v1/enroll",
            new EnrollRequest
            {
                Token = token,
                Secret = secret,
                Identity = SimulatedWorker.IdentityOf(name),
                Name = name,
                Host = "testhost",
                Version = "1.0",
                Protocol = protocol,
            }
        );
    }

    private async Task<JsonNode> WorkerAsync(string id) => await (await _farm.User.GetAsync($"/v1/workers/{id}")).JsonAsync();

    private static Task<HttpResponseMessage> SendRegistrationAsync(HttpClient client, string name) =>
        client.PostContractAsync("/worker/v1/register", TestFarm.Registration(name));

    private static async Task<string> RegisterAsync(HttpClient client, string name) =>
        (await (await SendRegistrationAsync(client, name)).ContractAsync<RegisterWorkerReply>()).WorkerId;

    private static async Task<LeaseGrant?> LeaseAsync(HttpClient client, string workerId) =>
        await (
            await client.PostContractAsync(
                "/worker/v1/leases",
                new LeaseRequest
                {
                    Instance = SimulatedWorker.Instance,
                    WorkerId = workerId,
                    SlotId = "cpu",
                    FreeBytes = 16L << 30,
                }
            )
        ).ContractAsync<LeaseGrant>();

    private static Task<HttpResponseMessage> RenewAsync(HttpClient client, LeaseGrant lease) =>
        client.PostContractAsync(
            $"/worker/v1/leases/{lease.JobId}/renew",
            new RenewRequest { Stage = RenderStage.Denoising, Step = 1 }.Under(lease.Lease)
        );
}
