using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using OpenAI.Videos;

namespace RenderFarm.Api.Tests.Clients;

/// <summary>The official .NET client, unmodified: only its endpoint and key are ours.</summary>
public sealed class OpenAiVideoClientTests : IAsyncLifetime
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 4_096).Select(i => (byte)i)];
    private TestFarm _farm = null!;
    private VideoClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _farm = await TestFarm.StartAsync();
        await _farm.RegisterWorkerAsync();
        _client = new VideoClient(
            new ApiKeyCredential(_farm.AdminKey),
            new VideoClientOptions { Endpoint = new Uri(_farm.Address, "/v1") }
        );
    }

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task CreateVideo_Multipart_IsAccepted()
    {
        var video = await CreateAsync("a ball");

        Assert.Equal(("video", "queued", "a ball"), ((string)video["object"]!, (string)video["status"]!, (string)video["prompt"]!));
        Assert.Equal((string)video["id"]!, (string)Json(await _client.GetVideoAsync((string)video["id"]!))["id"]!);
    }

    /// <summary>
    /// The client's own collection ends after one page whatever the answer says: it never reads <c>has_more</c>. Its callers page
    /// by <c>after</c>.
    /// </summary>
    [Theory]
    [InlineData("asc")]
    [InlineData("desc")]
    public async Task GetVideos_SevenByThree_WalksAllPages(string order)
    {
        var made = new List<string>();
        for (var i = 0; i < 7; i++)
        {
            made.Add((string)(await CreateAsync("a ball"))["id"]!);
        }

        var (pages, seen, after) = (new List<int>(), new List<string>(), (string?)null);
        JsonNode page;
        do
        {
            page = Json(await _client.GetVideosAsync(limit: 3, order: order, after: after).GetRawPagesAsync().FirstAsync());
            var ids = page["data"]!.AsArray().Select(video => (string)video!["id"]!).ToList();
            pages.Add(ids.Count);
            seen.AddRange(ids);
            after = (string?)page["last_id"];
        } while ((bool)page["has_more"]!);

        Assert.Equal([3, 3, 1], pages);
        Assert.Equal(order == "asc" ? made : Enumerable.Reverse(made), seen);
    }

    [Fact]
    public async Task DownloadVideo_AFinishedOne_GivesItsBytes()
    {
        var id = await _farm.FinishVideoAsync(Bytes);

        var content = (await _client.DownloadVideoAsync(id)).GetRawResponse().Content;

        Assert.Equal(Bytes, content.ToArray());
    }

    [Fact]
    public async Task CreateVideo_AnswerCutAfterTheCommit_MakesOneVideoByItsOwnRetry()
    {
        using var cutter = new AnswerCutter(_farm.Address);
        _client = new VideoClient(
            new ApiKeyCredential(_farm.AdminKey),
            new VideoClientOptions { Endpoint = new Uri(cutter.Address, "/v1") }
        );

        var video = await CreateAsync("a ball whose answer is lost");

        Assert.True(cutter.HasCut);
        var only = Assert.Single((await (await _farm.User.GetAsync("/v1/videos")).JsonAsync())["data"]!.AsArray());
        Assert.Equal((string)video["id"]!, (string)only!["id"]!);
    }

    [Fact]
    public async Task CreateVideo_TheSameTwice_AreTwoVideos() =>
        Assert.NotEqual((string)(await CreateAsync("a ball"))["id"]!, (string)(await CreateAsync("a ball"))["id"]!);

    [Fact]
    public async Task CreateVideoRemix_WithAnotherPrompt_TellsItsSource()
    {
        var id = (string)(await CreateAsync("a ball"))["id"]!;
        using var body = BinaryContent.Create(BinaryData.FromObjectAsJson(new { prompt = "a cube" }));
        var remix = Json(await _client.CreateVideoRemixAsync(id, body, "application/json"));
        Assert.Equal((id, "a cube"), ((string)remix["remixed_from_video_id"]!, (string)remix["prompt"]!));
    }

    [Fact]
    public async Task Client_EachRefusal_ThrowsWithItsStatusAndWords()
    {
        var id = (string)(await CreateAsync("a ball"))["id"]!;
        var reader = await KeyAsync(new { name = "reader", scopes = new[] { "read" } });
        var limited = await KeyAsync(new { name = "limited", requests_per_minute = 1 });
        await With(limited).GetVideoAsync(id).ContinueWith(_ => { }, TaskScheduler.Default);

        await RefusedAsync(401, "invalid_api_key", () => With("rf_wrong").GetVideoAsync(id));
        await RefusedAsync(
            403,
            "missing_scope",
            () =>
            {
                _client = With(reader);
                return CreateAsync("a ball");
            }
        );
        _client = With(_farm.AdminKey);
        await RefusedAsync(404, "not_found", () => _client.GetVideoAsync("video_00000000000000000000000000000000"));
        await RefusedAsync(409, "content_not_ready", () => _client.DownloadVideoAsync(id));
        await RefusedAsync(429, "rate_limited", () => With(limited).GetVideoAsync(id));
    }

    [Fact]
    public async Task DeleteVideo_ThenGet_IsNotFound()
    {
        var id = (string)(await CreateAsync("a ball"))["id"]!;

        Assert.True((bool)Json(await _client.DeleteVideoAsync(id))["deleted"]!);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => _client.GetVideoAsync(id))).Status);
    }

    [Fact]
    public async Task CreateVideo_ABadSize_ThrowsWithTheFarmsWords()
    {
        var thrown = await Assert.ThrowsAsync<ClientResultException>(() => CreateAsync("a ball", ("size", "100x100")));

        Assert.Equal(400, thrown.Status);
        Assert.Contains("nearest accepted size", thrown.Message, StringComparison.Ordinal);
    }

    private static async Task RefusedAsync(int status, string code, Func<Task> call)
    {
        var thrown = await Assert.ThrowsAsync<ClientResultException>(call);
        Assert.Equal((status, code), (thrown.Status, (string)JsonNode.Parse(thrown.GetRawResponse()!.Content)!["error"]!["code"]!));
    }

    private VideoClient With(string key) =>
        new(
            new ApiKeyCredential(key),
            new VideoClientOptions { Endpoint = new Uri(_farm.Address, "/v1"), RetryPolicy = new ClientRetryPolicy(maxRetries: 0) }
        );

    private async Task<string> KeyAsync(object fields) =>
        (string)(await (await _farm.User.PostAsJsonAsync("/v1/keys", fields)).JsonAsync())["key"]!;

    private async Task<JsonNode> CreateAsync(string prompt, params (string Name, string Value)[] more)
    {
        using var form = new MultipartFormDataContent { { new StringContent(prompt), "prompt" } };
        foreach (var (name, value) in more)
        {
            form.Add(new StringContent(value), name);
        }

        using var body = BinaryContent.Create(await form.ReadAsStreamAsync());
        return Json(await _client.CreateVideoAsync(body, form.Headers.ContentType!.ToString()));
    }

    private static JsonNode Json(ClientResult result) => JsonNode.Parse(result.GetRawResponse().Content)!;
}
