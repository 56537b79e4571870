using System.Diagnostics;
using System.Net;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Workers;

/// <summary>The worker protocol over HTTP; each test has a farm of its own, for a lease takes whatever is queued.</summary>
public sealed class LeaseTests : IAsyncLifetime
{
    private TestFarm _farm = null!;
    private string _workerId = "";

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync();
        _workerId = await _farm.RegisterWorkerAsync();
    }

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Lease_NothingQueued_Is204() => Assert.Null(await _farm.LeaseAsync(_workerId));

    [Fact]
    public async Task Lease_AQueuedVideo_GoesTheWholeWay()
    {
        var id = (string)(await _farm.SubmitAsync(new { prompt = "a ball", seed = 5 }))["id"]!;

        var lease = (await _farm.LeaseAsync(_workerId))!;
        Assert.Equal((id, 1L, 1, 5L), (lease.JobId, lease.Fence, lease.Attempt, lease.Spec.Seed));
        Assert.True(lease.LeaseSeconds > 0);

        var renewed = await (await _farm.RenewAsync(lease, RenderStage.Denoising, step: 1)).ContractAsync<RenewReply>();
        Assert.False(renewed.Cancel);
        var running = await (await _farm.User.GetAsync($"/v1/videos/{id}")).JsonAsync();
        Assert.Equal(("in_progress", "denoising", 1), ((string)running["status"]!, (string)running["stage"]!, (int)running["step"]!));
        Assert.InRange((int)running["progress"]!, 6, 89);

        var artifact = await _farm.UploadAsync(lease, [1, 2, 3]);
        var outcome = await (await _farm.CompleteAsync(lease, artifact)).ContractAsync<LeaseOutcome>();
        Assert.Equal(JobState.Completed, outcome.State);

        // The reply was lost, and the worker asks again.
        Assert.Equal(outcome, await (await _farm.CompleteAsync(lease, artifact)).ContractAsync<LeaseOutcome>());
        Assert.Equal([1, 2, 3], await _farm.User.GetByteArrayAsync($"/v1/videos/{id}/content"));
    }

    [Fact]
    public async Task Lease_WhileWaiting_IsAnsweredWhenAVideoComes()
    {
        var waiting = _farm.LeaseAsync(_workerId, waitSeconds: 30);
        var clock = Stopwatch.StartNew();

        var id = (string)(await _farm.SubmitAsync())["id"]!;

        Assert.Equal(id, (await waiting)!.JobId);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"took {clock.Elapsed}");
    }

    [Fact]
    public async Task Lease_WhenTheFarmStops_IsReleasedAtOnce()
    {
        var waiting = _farm.LeaseAsync(_workerId, waitSeconds: 30);
        await _farm.WaitForPollAsync();
        var clock = Stopwatch.StartNew();

        await _farm.StopAsync();

        Assert.Null(await waiting);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"took {clock.Elapsed}");
    }

    [Fact]
    public async Task Lease_TheWorkerGoesAwayWhileWaiting_TakesNothing()
    {
        using var gone = new CancellationTokenSource();
        var waiting = _farm.LeaseAsync(_workerId, waitSeconds: 30, gone.Token);
        await _farm.WaitForPollAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await _farm.WaitForPollAsync(count: 0);

        var id = (string)(await _farm.SubmitAsync())["id"]!;

        Assert.Equal("queued", (string)(await (await _farm.User.GetAsync($"/v1/videos/{id}")).JsonAsync())["status"]!);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Report_UnderALeaseThatHasLost_Is409LeaseLost(bool sameFence)
    {
        await _farm.SubmitAsync();
        var lease = (await _farm.LeaseAsync(_workerId))!;
        var stale = lease with { Fence = sameFence ? lease.Fence : lease.Fence - 1, Token = LeaseToken.New() };

        var reply = await _farm.RenewAsync(stale);

        Assert.Equal("false", reply.Headers.GetValues("x-should-retry").Single());
        Assert.Equal((409, "lease_lost"), await Refusal(reply));
        Assert.Equal((409, "lease_lost"), await Refusal(await _farm.CompleteAsync(stale, await _farm.UploadAsync(stale, [1]))));
        Assert.Equal((409, "lease_lost"), await Refusal(await FailAsync(stale, FailureReason.Transient)));
        Assert.Equal((409, "lease_lost"), await Refusal(await ReleaseAsync(stale)));
    }

    /// <summary>As of a database restored from before it: what its worker made may be the only copy.</summary>
    [Fact]
    public async Task Report_OfAJobThatIsNotHere_Is404()
    {
        await _farm.SubmitAsync();
        var elsewhere = (await _farm.LeaseAsync(_workerId))! with { JobId = "video_elsewhere" };

        Assert.Equal((404, "not_found"), await Refusal(await _farm.RenewAsync(elsewhere)));
        Assert.Equal((404, "not_found"), await Refusal(await _farm.CompleteAsync(elsewhere, await _farm.UploadAsync(elsewhere, [1]))));
        Assert.Equal((404, "not_found"), await Refusal(await FailAsync(elsewhere, FailureReason.Transient)));
        Assert.Equal((404, "not_found"), await Refusal(await ReleaseAsync(elsewhere)));
    }

    [Fact]
    public async Task Renew_OfADeletedVideo_CancelsAndIsLostOnceThatIsReported()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;
        var lease = (await _farm.LeaseAsync(_workerId))!;
        await _farm.RenewAsync(lease);
        await _farm.User.DeleteAsync($"/v1/videos/{id}");

        Assert.True((await (await _farm.RenewAsync(lease)).ContractAsync<RenewReply>()).Cancel);
        await FailAsync(lease, FailureReason.Cancelled);
        Assert.Equal((409, "lease_lost"), await Refusal(await _farm.RenewAsync(lease)));
    }

    [Fact]
    public async Task Complete_FilesThatAreNotThere_IsRefusedAndTheLeaseStays()
    {
        await _farm.SubmitAsync();
        var lease = (await _farm.LeaseAsync(_workerId))!;
        await _farm.RenewAsync(lease);
        var real = await _farm.UploadAsync(lease, [1, 2, 3]);

        foreach (
            var wrong in new[]
            {
                real with { Key = real.Key.Replace("video.mp4", "other.mp4", StringComparison.Ordinal) },
                real with { SizeBytes = 4 },
                real with { Sha256 = new string('0', 64) },
                real with { Key = "videos/video_other/1/video.mp4" },
            }
        )
        {
            Assert.Equal((400, "invalid_value"), await Refusal(await _farm.CompleteAsync(lease, wrong)));
        }

        Assert.Equal(HttpStatusCode.OK, (await _farm.CompleteAsync(lease, real)).StatusCode);
    }

    [Theory]
    [InlineData("fail", "\"measurements\":{\"peak_bytes\":-1}", "measurements.peak_bytes")]
    [InlineData("fail", "\"measurements\":{\"stage_peak_bytes\":{\"denoising\":-1}}", "measurements.stage_peak_bytes.denoising")]
    [InlineData("complete", "\"measurements\":{\"step_seconds\":-0.5}", "measurements.step_seconds")]
    public async Task Report_WithAFigureBelowZero_IsRefusedByItsNameAndTheLeaseStays(string call, string member, string field)
    {
        await _farm.SubmitAsync();
        var lease = (await _farm.LeaseAsync(_workerId))!;
        using var body = new StringContent(
            $$"""
            {"fence":{{lease.Fence}},"token":"{{lease.Token.Secret}}","reason":"transient","message":"it broke","artifacts":[],{{member}}}
            """,
            System.Text.Encoding.UTF8,
            "application/json"
        );

        var (status, code, param, _) = await (
            await _farm.Worker.PostAsync($"/worker/v1/leases/{lease.JobId}/{call}", body)
        ).RefusalAsync();

        Assert.Equal((400, "invalid_value", field), (status, code, param));
        Assert.Equal(HttpStatusCode.OK, (await _farm.RenewAsync(lease)).StatusCode);
    }

    [Fact]
    public async Task Complete_AnEndedLeaseWithAnothersFiles_IsRefused_AndARepeatIsToldWhatWas()
    {
        await _farm.SubmitAsync();
        var lease = (await _farm.LeaseAsync(_workerId))!;
        await _farm.RenewAsync(lease);
        var real = await _farm.UploadAsync(lease, [1, 2, 3]);
        Assert.Equal(HttpStatusCode.OK, (await _farm.CompleteAsync(lease, real)).StatusCode);

        var foreign = real with { Key = "videos/video_other/1/video.mp4" };

        Assert.Equal((400, "invalid_value"), await Refusal(await _farm.CompleteAsync(lease, foreign)));
        Assert.Equal(HttpStatusCode.OK, (await _farm.CompleteAsync(lease, real)).StatusCode);
    }

    [Theory]
    [InlineData("renew", "")]
    [InlineData("complete", "")]
    [InlineData("fail", "transient")]
    [InlineData("release", "draining")]
    public async Task Report_OfWhatIsNoId_Is404(string what, string reason)
    {
        var body = new
        {
            fence = 1,
            token = LeaseToken.New().Secret,
            stage = "denoising",
            step = 1,
            steps = 2,
            artifacts = Array.Empty<object>(),
            reason,
            message = "x",
            measurements = new { },
        };
        var reply = await _farm.Worker.PostAsync(
            $"/worker/v1/leases/..%2f..%2fetc/{what}",
            System.Net.Http.Json.JsonContent.Create(body)
        );

        Assert.Equal((404, "not_found"), await Refusal(reply));
    }

    [Fact]
    public async Task Release_HandsTheVideoBack_AndNoAttemptIsBurnt()
    {
        await _farm.SubmitAsync();
        var lease = (await _farm.LeaseAsync(_workerId))!;

        var outcome = await (await ReleaseAsync(lease)).ContractAsync<LeaseOutcome>();

        Assert.Equal(JobState.Queued, outcome.State);
        var again = (await _farm.LeaseAsync(_workerId))!;
        Assert.Equal((lease.JobId, lease.Fence + 1, 1), (again.JobId, again.Fence, again.Attempt));
    }

    [Fact]
    public async Task Fail_AFinalReason_EndsTheVideoWithItsCode()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;
        var lease = (await _farm.LeaseAsync(_workerId))!;

        var outcome = await (await FailAsync(lease, FailureReason.InvalidRequest)).ContractAsync<LeaseOutcome>();

        Assert.Equal(JobState.Failed, outcome.State);
        var video = await (await _farm.User.GetAsync($"/v1/videos/{id}")).JsonAsync();
        Assert.Equal(
            ("failed", "invalid_request", "it broke"),
            ((string)video["status"]!, (string)video["error"]!["code"]!, (string)video["error"]!["message"]!)
        );
    }

    [Fact]
    public async Task Cancel_ARunningVideo_ReachesTheWorkerByItsRenewal()
    {
        var id = (string)(await _farm.SubmitAsync())["id"]!;
        var lease = (await _farm.LeaseAsync(_workerId))!;
        await _farm.RenewAsync(lease);

        var asked = await (await _farm.User.PostAsync($"/v1/videos/{id}/cancel", null)).JsonAsync();
        Assert.Equal("in_progress", (string)asked["status"]!);
        Assert.True((await (await _farm.RenewAsync(lease)).ContractAsync<RenewReply>()).Cancel);

        await FailAsync(lease, FailureReason.Cancelled);
        var video = await (await _farm.User.GetAsync($"/v1/videos/{id}")).JsonAsync();
        Assert.Equal(("failed", "cancelled"), ((string)video["status"]!, (string)video["error"]!["code"]!));
    }

    [Fact]
    public async Task Lease_AnUnknownWorker_Is404() =>
        Assert.Equal(
            (404, "not_found"),
            await Refusal(
                await _farm.Worker.PostContractAsync(
                    "/worker/v1/leases",
                    new LeaseRequest
                    {
                        Instance = SimulatedWorker.Instance,
                        WorkerId = "w_none",
                        SlotId = "cpu",
                        FreeBytes = 1,
                    }
                )
            )
        );

    private Task<HttpResponseMessage> FailAsync(LeaseGrant lease, FailureReason reason) =>
        _farm.Worker.PostContractAsync(
            $"/worker/v1/leases/{lease.JobId}/fail",
            new FailRequest
            {
                Fence = lease.Fence,
                Token = lease.Token,
                Reason = reason,
                Message = "it broke",
            }
        );

    private Task<HttpResponseMessage> ReleaseAsync(LeaseGrant lease) =>
        _farm.Worker.PostContractAsync(
            $"/worker/v1/leases/{lease.JobId}/release",
            new ReleaseRequest { Fence = lease.Fence, Token = lease.Token, Reason = ReleaseReason.Interrupted }
        );

    private static async Task<(int, string)> Refusal(HttpResponseMessage reply)
    {
        var (status, code, _, _) = await reply.RefusalAsync();
        return (status, code);
    }
}
