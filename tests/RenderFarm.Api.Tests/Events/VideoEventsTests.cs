using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Api.Tests.Events;

public sealed class VideoEventsTests : IAsyncLifetime
{
    private TestFarm _farm = null!;
    private string _worker = "";

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync();
        _worker = await _farm.RegisterWorkerAsync();
    }

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Events_OfAVideoFromSubmitToEnd_TellEveryStepAndClose()
    {
        var id = await SubmitAsync();
        await using var events = await EventReader.OpenAsync(_farm.User, $"/v1/videos/{id}/events");
        var queued = await events.NextAsync();
        Assert.Equal(("video.queued", id, "queued"), (queued!.Name, (string)queued.Data["id"]!, (string)queued.Data["status"]!));

        var lease = (await _farm.LeaseAsync(_worker))!;
        await _farm.RenewAsync(lease, RenderStage.Loading, 0);
        Assert.Equal("in_progress", (string)(await events.NextAsync("video.started")).Data["status"]!);
        var last = 0;
        for (var step = 1; step <= 5; step++)
        {
            await _farm.ReportAsync(lease, step);
            var told = await events.NextAsync("video.progress");
            while ((int)told.Data["step"]! < step)
            {
                told = await events.NextAsync("video.progress");
            }

            Assert.Equal((step, "denoising"), ((int)told.Data["step"]!, (string)told.Data["stage"]!));
            Assert.Null(told.Id);
            Assert.InRange((int)told.Data["progress"]!, last + 1, 100);
            last = (int)told.Data["progress"]!;
        }

        (await _farm.CompleteAsync(lease, await _farm.UploadAsync(lease, [1, 2, 3]))).EnsureSuccessStatusCode();
        var end = Assert.Single(await events.RestAsync(), e => e.Id is not null);
        Assert.Equal(("video.completed", 100), (end.Name, (int)end.Data["progress"]!));
    }

    [Fact]
    public async Task Events_ResumedAfterABreak_TellWhatWasMissedAndNothingTwice()
    {
        var id = await SubmitAsync();
        string seen;
        await using (var events = await EventReader.OpenAsync(_farm.User, $"/v1/videos/{id}/events"))
        {
            seen = (await events.NextAsync())!.Id!;
        }

        var lease = (await _farm.LeaseAsync(_worker))!;
        await _farm.RenewAsync(lease, RenderStage.Denoising, 2);
        await _farm.ReportAsync(lease, 3);
        await using (var again = await EventReader.OpenAsync(_farm.User, $"/v1/videos/{id}/events", seen))
        {
            var (started, progress) = (await again.NextAsync(), await again.NextAsync());
            Assert.Equal(("video.started", "video.progress"), (started!.Name, progress!.Name));
            Assert.Equal(3, (int)progress.Data["step"]!);
            seen = started.Id!;
        }

        (await _farm.CompleteAsync(lease, await _farm.UploadAsync(lease, [1]))).EnsureSuccessStatusCode();
        await using var rest = await EventReader.OpenAsync(_farm.User, $"/v1/videos/{id}/events", seen);
        var end = (await rest.RestAsync()).Single(e => e.Id is not null);
        Assert.Equal("video.completed", end.Name);

        // 204 is what keeps a browser from coming back
        using var over = new HttpRequestMessage(HttpMethod.Get, $"/v1/videos/{id}/events") { Headers = { { "Last-Event-ID", end.Id } } };
        Assert.Equal(System.Net.HttpStatusCode.NoContent, (await _farm.User.SendAsync(over)).StatusCode);
    }

    [Fact]
    public async Task Events_OfALongFinishedVideo_AreReplayedAndOver()
    {
        var id = await _farm.FinishVideoAsync([1, 2, 3]);
        await using var events = await EventReader.OpenAsync(_farm.User, $"/v1/videos/{id}/events");
        Assert.Equal(["video.queued", "video.started", "video.completed"], (await events.RestAsync()).Select(e => e.Name));
    }

    [Fact]
    public async Task Progress_PreviewsAreAskedFor_OnlyWhileSomebodyWatchesForThem()
    {
        var id = await SubmitAsync();
        var lease = (await _farm.LeaseAsync(_worker))!;
        await _farm.RenewAsync(lease);
        Assert.False((await _farm.ReportAsync(lease, 1)).Preview);

        await using var plain = await EventReader.OpenAsync(_farm.User, $"/v1/videos/{id}/events");
        await plain.NextAsync("video.started");
        Assert.False((await _farm.ReportAsync(lease, 2)).Preview);

        await using var events = await EventReader.OpenAsync(_farm.User, $"/v1/videos/{id}/events?preview=true");
        await events.NextAsync("video.started");
        Assert.True((await _farm.ReportAsync(lease, 3)).Preview);
        await _farm.ReportAsync(lease, 4, [9, 8, 7]);
        var picture = await events.NextAsync("video.preview");
        Assert.Equal(
            (4, "image/png", "CQgH"),
            ((int)picture.Data["step"]!, (string)picture.Data["content_type"]!, (string)picture.Data["data"]!)
        );
    }

    [Fact]
    public async Task Progress_OfAFenceThatWasOvertaken_IsNotShown()
    {
        var id = await SubmitAsync();
        var first = (await _farm.LeaseAsync(_worker))!;
        await _farm.RenewAsync(first);
        await _farm.Worker.PostContractAsync(
            $"/worker/v1/leases/{id}/release",
            new ReleaseRequest { Fence = first.Fence, Token = first.Token, Reason = ReleaseReason.Interrupted }
        );
        var second = (await _farm.LeaseAsync(_worker))!;
        await _farm.RenewAsync(second, RenderStage.Denoising, 1);
        await _farm.ReportAsync(second, 2);
        await _farm.ReportAsync(first, 7);

        await using var events = await EventReader.OpenAsync(_farm.User, $"/v1/videos/{id}/events");
        Assert.Equal(2, (int)(await events.NextAsync("video.progress")).Data["step"]!);
    }

    [Fact]
    public async Task Events_OfAKey_TellItsOwnVideosAndResume()
    {
        var (mine, other) = (await _farm.NewTenantAsync("submit", "read"), await _farm.NewTenantAsync("submit", "read"));
        await using var events = await EventReader.OpenAsync(mine, "/v1/events?after=0");
        await _farm.SubmitAsync(by: other);
        var id = (string)(await _farm.SubmitAsync(by: mine))["id"]!;
        var first = (await events.NextAsync())!;
        Assert.Equal(("video.queued", id), (first.Name, (string)first.Data["id"]!));

        await mine.PostAsync($"/v1/videos/{id}/cancel", null);
        Assert.Equal("video.cancelled", (await events.NextAsync())!.Name);
        await using var again = await EventReader.OpenAsync(mine, "/v1/events", first.Id);
        Assert.Equal("video.cancelled", (await again.NextAsync())!.Name);
    }

    [Theory]
    [InlineData("/v1/videos/video_0/events", 404, "not_found")]
    [InlineData("/v1/events?after=x", 400, "invalid_value")]
    [InlineData("/v1/events?afterr=1", 400, "unknown_parameter")]
    public async Task Events_BadAddress_IsRefused(string path, int status, string code)
    {
        var refusal = await (await _farm.User.GetAsync(path)).RefusalAsync();
        Assert.Equal((status, code), (refusal.Status, refusal.Code));
    }

    [Fact]
    public async Task Events_OfAnotherTenantsVideo_AreNotFound()
    {
        var id = await SubmitAsync();
        var other = await _farm.NewTenantAsync("read");
        Assert.Equal(404, (await (await other.GetAsync($"/v1/videos/{id}/events")).RefusalAsync()).Status);
    }

    private async Task<string> SubmitAsync() => (string)(await _farm.SubmitAsync())["id"]!;
}
