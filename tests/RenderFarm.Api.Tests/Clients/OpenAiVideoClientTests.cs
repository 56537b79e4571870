using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json.Nodes;
using OpenAI.Videos;

namespace RenderFarm.Api.Tests.Clients;

/// <summary>The official .NET client, unmodified: only its endpoint and key are ours.</summary>
public sealed class OpenAiVideoClientTests : IAsyncLifetime
{
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 4_096).Select(i => (byte)i)];
    private TestFarm farm = null!;
    private VideoClient client = null!;

    public async ValueTask InitializeAsync()
    {
        farm = await TestFarm.StartAsync();
        await farm.RegisterWorkerAsync();
        client = new VideoClient(new ApiKeyCredential(farm.AdminKey), new VideoClientOptions { Endpoint = new Uri(farm.Address, "/v1") });
    }

    public ValueTask DisposeAsync() => farm.DisposeAsync();

    [Fact]
    public async Task CreateVideo_Multipart_IsAccepted()
    {
        var video = await CreateAsync("a ball");

        Assert.Equal(("video", "queued", "a ball"), ((string)video["object"]!, (string)video["status"]!, (string)video["prompt"]!));
        Assert.Equal((string)video["id"]!, (string)Json(await client.GetVideoAsync((string)video["id"]!))["id"]!);
    }

    [Fact]
    public async Task GetVideos_SevenByThree_WalksAllPages()
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
            page = Json(await client.GetVideosAsync(limit: 3, order: "asc", after: after).GetRawPagesAsync().FirstAsync());
            var ids = page["data"]!.AsArray().Select(video => (string)video!["id"]!).ToList();
            pages.Add(ids.Count);
            seen.AddRange(ids);
            after = (string?)page["last_id"];
        }
        while ((bool)page["has_more"]!);

        Assert.Equal([3, 3, 1], pages);
        Assert.Equal(made, seen);
    }

    [Fact]
    public async Task DownloadVideo_AFinishedOne_GivesItsBytes()
    {
        var id = await farm.FinishVideoAsync(Bytes);

        var content = (await client.DownloadVideoAsync(id)).GetRawResponse().Content;

        Assert.Equal(Bytes, content.ToArray());
    }

    [Fact]
    public async Task DeleteVideo_ThenGet_IsNotFound()
    {
        var id = (string)(await CreateAsync("a ball"))["id"]!;

        Assert.True((bool)Json(await client.DeleteVideoAsync(id))["deleted"]!);
        Assert.Equal(404, (await Assert.ThrowsAsync<ClientResultException>(() => client.GetVideoAsync(id))).Status);
    }

    [Fact]
    public async Task CreateVideo_ABadSize_ThrowsWithTheFarmsWords()
    {
        var thrown = await Assert.ThrowsAsync<ClientResultException>(() => CreateAsync("a ball", ("size", "100x100")));

        Assert.Equal(400, thrown.Status);
        Assert.Contains("nearest accepted size", thrown.Message, StringComparison.Ordinal);
    }

    private async Task<JsonNode> CreateAsync(string prompt, params (string Name, string Value)[] more)
    {
        using var form = new MultipartFormDataContent { { new StringContent(prompt), "prompt" } };
        foreach (var (name, value) in more)
        {
            form.Add(new StringContent(value), name);
        }

        using var body = BinaryContent.Create(await form.ReadAsStreamAsync());
        return Json(await client.CreateVideoAsync(body, form.Headers.ContentType!.ToString()));
    }

    private static JsonNode Json(ClientResult result) => JsonNode.Parse(result.GetRawResponse().Content)!;
}
