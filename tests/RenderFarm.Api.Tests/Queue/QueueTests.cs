using System.Net;
using System.Net.Http.Json;

namespace RenderFarm.Api.Tests.Queue;

/// <summary>What waits, and what an operator holds back.</summary>
public sealed class QueueTests : IAsyncLifetime
{
    private TestFarm _farm = null!;

    public async ValueTask InitializeAsync() => _farm = await TestFarm.StartAsync();

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Pause_OfAModel_ShowsInTheQueueAndAtItsVideos_UntilItIsResumed()
    {
        var worker = await _farm.RegisterWorkerAsync();
        var id = (string)(await _farm.SubmitAsync())["id"]!;

        var paused = await (await _farm.User.PostAsJsonAsync("/v1/queue/pause", new { model = "tiny" })).JsonAsync();

        Assert.Equal(("tiny", null), ((string?)paused["paused"]![0]!["model"], (string?)paused["paused"]![0]!["key"]));
        Assert.Equal(("tiny", 1), ((string?)paused["classes"]![0]!["model"], (int)paused["classes"]![0]!["queued"]!));
        Assert.Null(await _farm.LeaseAsync(worker));
        var video = await (await _farm.User.GetAsync($"/v1/videos/{id}")).JsonAsync();
        Assert.Contains("paused", (string?)video["note"], StringComparison.Ordinal);
        Assert.Null(video["eta_seconds"]);

        var resumed = await (await _farm.User.PostAsync("/v1/queue/resume", null)).JsonAsync();
        Assert.Empty(resumed["paused"]!.AsArray());
        Assert.Equal(id, (await _farm.LeaseAsync(worker))?.JobId);
    }

    [Fact]
    public async Task Pause_IsForOperators_AndAnotherTenantsKeyIsNobodysBusiness()
    {
        var tenant = await _farm.NewTenantAsync("submit", "read");
        var other = (string)(await (await _farm.User.PostAsJsonAsync("/v1/keys", new { name = "other" })).JsonAsync())["id"]!;
        await _farm.User.PostAsJsonAsync("/v1/queue/pause", new { key = other });

        Assert.Empty((await (await tenant.GetAsync("/v1/queue")).JsonAsync())["paused"]!.AsArray());
        Assert.Single((await (await _farm.User.GetAsync("/v1/queue")).JsonAsync())["paused"]!.AsArray());
        Assert.Equal(HttpStatusCode.Forbidden, (await tenant.PostAsync("/v1/queue/pause", null)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await tenant.PostAsync("/v1/queue/resume", null)).StatusCode);
        Assert.Equal(404, (int)(await _farm.User.PostAsJsonAsync("/v1/queue/pause", new { key = "key_x" })).StatusCode);
    }
}
