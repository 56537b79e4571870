using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.Videos;

/// <summary>Lists by filters, and what is done to all that they find.</summary>
public sealed class FilterTests : IAsyncLifetime
{
    private TestFarm _farm = null!;
    private string _worker = "";

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync();
        _worker = await _farm.RegisterWorkerAsync("rack-1");
    }

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task List_EachFilter_FindsWhatItNames()
    {
        var first = await IdOfAsync(new { prompt = "a red ball", metadata = new { shot = "12 b" } });
        var lease = await _farm.LeaseAsync(_worker);
        var second = await IdOfAsync(new { prompt = "a blue dog" });
        await _farm.User.PostAsync($"/v1/videos/{second}/cancel", null);

        Assert.Equal(first, lease!.JobId);
        Assert.Equal([first], await FindAsync("status=in_progress"));
        Assert.Equal([second], await FindAsync("status=cancelled"));
        Assert.Equal([second], await FindAsync("error_code=cancelled"));
        Assert.Equal([second, first], await FindAsync("status=cancelled,in_progress&model=tiny"));
        Assert.Equal([], await FindAsync("status=failed"));
        Assert.Equal([first], await FindAsync("worker=rack-1"));
        Assert.Equal([first], await FindAsync($"worker={_worker}"));
        Assert.Equal([first], await FindAsync("metadata[shot]=12%20b"));
        Assert.Equal([second], await FindAsync("text=BLUE"));
        Assert.Equal([], await FindAsync("created_before=1000000000"));
        Assert.Equal([second, first], await FindAsync("created_after=1000000000"));
        var shown = (await (await _farm.User.GetAsync($"/v1/videos?worker={_worker}")).JsonAsync())["data"]![0]!;
        Assert.Equal(_worker, (string?)shown["worker"]);
    }

    [Theory]
    [InlineData("status=done", "status")]
    [InlineData("created_after=yesterday", "created_after")]
    [InlineData("metadata=a", "metadata")]
    [InlineData("text=", "text")]
    public async Task List_FilterThatSaysNothing_Is400NamingIt(string query, string param)
    {
        var refusal = await (await _farm.User.GetAsync($"/v1/videos?{query}")).RefusalAsync();

        Assert.Equal((400, "invalid_value", param), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Fact]
    public async Task List_MisspeltFilter_Is400NamingTheNearest()
    {
        var refusal = await (await _farm.User.GetAsync("/v1/videos?modle=x")).RefusalAsync();

        Assert.Equal((400, "unknown_parameter"), (refusal.Status, refusal.Code));
        Assert.Contains("'model'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bulk_CountsFirst_RefusesAnotherCount_AndDoesIt()
    {
        await IdOfAsync(new { prompt = "a" });
        await IdOfAsync(new { prompt = "b" });

        var counted = await BulkAsync(new { action = "cancel", filter = new { status = "queued" }, dry_run = true });
        Assert.Equal((2, 0), ((int)counted["matched"]!, (int)counted["done"]!));

        var refusal = await (
            await _farm.User.PostAsJsonAsync("/v1/videos/bulk", new { action = "cancel", filter = new { status = "queued" }, expected = 3 })
        ).RefusalAsync();
        Assert.Equal((409, "count_changed"), (refusal.Status, refusal.Code));
        Assert.Equal(2, (await FindAsync("status=queued")).Count);

        var done = await BulkAsync(new { action = "cancel", all = true, expected = 2 });
        Assert.Equal((2, 2), ((int)done["matched"]!, (int)done["done"]!));
        Assert.Equal(2, (await FindAsync("status=cancelled")).Count);
    }

    [Theory]
    [InlineData("""{"action":"delete"}""", "filter")]
    [InlineData("""{"action":"delete","filter":{}}""", "filter")]
    [InlineData("""{"action":"delete","filter":{"model":"tiny"},"all":true}""", "all")]
    [InlineData("""{"action":"explode","all":true}""", "action")]
    [InlineData("""{"filter":{"model":"tiny"}}""", "action")]
    [InlineData("""{"action":"delete","filter":{"ids":"x"}}""", "filter.ids")]
    [InlineData("""{"action":"delete","filter":{"status":"done"}}""", "filter.status")]
    public async Task Bulk_BodyThatIsNotMeantWell_Is400AndDoesNothing(string body, string param)
    {
        await IdOfAsync(new { prompt = "a" });

        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        var refusal = await (await _farm.User.PostAsync("/v1/videos/bulk", content)).RefusalAsync();

        Assert.Equal((400, param), (refusal.Status, refusal.Param));
        Assert.Single(await FindAsync("status=queued"));
    }

    [Fact]
    public async Task Patch_SetsAndRemovesPairs_AndAPriorityWhileItWaits()
    {
        var tenant = await _farm.NewTenantAsync("submit", "read");
        var id = (string)(await _farm.SubmitAsync(new { prompt = "a", metadata = new { a = "1", b = "2" } }, tenant))["id"]!;

        var pairs = new { a = (string?)null, star = "1" };
        var edited = await (
            await tenant.PatchAsync($"/v1/videos/{id}", JsonContent.Create(new { metadata = pairs, priority = 90 }))
        ).JsonAsync();

        Assert.True(JsonNode.DeepEquals(JsonNode.Parse("""{"b":"2","star":"1"}"""), edited["metadata"]));
        Assert.Equal(90, (int)edited["priority"]!);

        await _farm.LeaseAsync(_worker);
        var refusal = await (await tenant.PatchAsync($"/v1/videos/{id}", JsonContent.Create(new { priority = 10 }))).RefusalAsync();
        Assert.Equal((409, "wrong_state"), (refusal.Status, refusal.Code));
        var stranger = await _farm.NewTenantAsync("submit", "read");
        Assert.Equal(404, (int)(await stranger.PatchAsync($"/v1/videos/{id}", JsonContent.Create(new { priority = 10 }))).StatusCode);
        var empty = await (await tenant.PatchAsync($"/v1/videos/{id}", JsonContent.Create(new { }))).RefusalAsync();
        Assert.Equal((400, "metadata"), (empty.Status, empty.Param));
    }

    [Fact]
    public async Task Undelete_BringsItBackAsItWas_AndOfAnUnknownOneIs404()
    {
        var id = await IdOfAsync(new { prompt = "a" });
        await _farm.User.DeleteAsync($"/v1/videos/{id}");
        Assert.Equal(404, (int)(await _farm.User.GetAsync($"/v1/videos/{id}")).StatusCode);

        var back = await (await _farm.User.PostAsync($"/v1/videos/{id}/undelete", null)).JsonAsync();

        Assert.Equal("cancelled", (string?)back["error"]!["code"]);
        Assert.Equal([id], await FindAsync("status=cancelled"));
        Assert.Equal(404, (int)(await _farm.User.PostAsync("/v1/videos/video_x/undelete", null)).StatusCode);
    }

    private async Task<string> IdOfAsync(object fields) => (string)(await _farm.SubmitAsync(fields))["id"]!;

    private async Task<JsonNode> BulkAsync(object body) => await (await _farm.User.PostAsJsonAsync("/v1/videos/bulk", body)).JsonAsync();

    private async Task<List<string>> FindAsync(string query)
    {
        var page = await (await _farm.User.GetAsync($"/v1/videos?{query}")).JsonAsync();
        return [.. page["data"]!.AsArray().Select(video => (string)video!["id"]!)];
    }
}
