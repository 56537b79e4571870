using System.Net.Http.Json;

namespace RenderFarm.Api.Tests.Videos;

/// <summary>A request that is sent again, by its client or by its SDK, is one video.</summary>
public sealed class IdempotencyTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private readonly TestFarm _farm = fixture.Farm;

    [Fact]
    public async Task Create_SameKeySameBody_IsTheSameVideo()
    {
        var key = Guid.NewGuid().ToString();

        Assert.Equal(await IdAsync(Post("a", key)), await IdAsync(Post("a", key)));
    }

    [Fact]
    public async Task Create_SameKeyOtherBody_Is409AndMustNotBeRetried()
    {
        var key = Guid.NewGuid().ToString();
        await IdAsync(Post("a", key));

        var reply = await _farm.User.SendAsync(Post("b", key));

        Assert.Equal("false", reply.Headers.GetValues("x-should-retry").Single());
        Assert.Equal((409, "idempotency_conflict"), await reply.RefusalAsync() is var r ? (r.Status, r.Code) : default);
    }

    [Fact]
    public async Task Create_SameKeyOfAnotherTenant_IsAnotherVideo()
    {
        var (key, tenant) = (Guid.NewGuid().ToString(), await _farm.NewTenantAsync("submit"));

        Assert.NotEqual(await IdAsync(Post("a", key)), await IdAsync(Post("a", key), tenant));
    }

    [Fact]
    public async Task Create_UnderTheKeyOfADeletedVideo_IsANewOne()
    {
        var key = Guid.NewGuid().ToString();
        var first = await IdAsync(Post("a", key));
        Assert.True((await _farm.User.DeleteAsync($"/v1/videos/{first}")).IsSuccessStatusCode);

        var second = await IdAsync(Post("another", key));

        Assert.NotEqual(first, second);
        Assert.Equal(second, await IdAsync(Post("another", key)));
    }

    [Fact]
    public async Task Create_SixteenAtOnceWithOneKey_MakeOneVideo()
    {
        var key = Guid.NewGuid().ToString();

        var ids = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => IdAsync(Post("a race", key))));

        Assert.Single(ids.Distinct());
    }

    [Fact]
    public async Task Create_TheSdksRepeatWithAnotherBoundary_IsTheSameVideo()
    {
        var prompt = Guid.NewGuid().ToString();

        Assert.Equal(await IdAsync(Form(prompt, "one", retry: 0)), await IdAsync(Form(prompt, "two", retry: 1)));
    }

    [Fact]
    public async Task Create_TheSameAgainWithoutSayingSo_IsAnotherVideo()
    {
        var prompt = Guid.NewGuid().ToString();

        Assert.NotEqual(await IdAsync(Form(prompt, "one", retry: 0)), await IdAsync(Form(prompt, "one", retry: 0)));
    }

    [Fact]
    public async Task Create_ARepeatOfARequestThatNeverArrived_IsMade() =>
        Assert.StartsWith("video_", await IdAsync(Form(Guid.NewGuid().ToString(), "one", retry: 2)), StringComparison.Ordinal);

    private static HttpRequestMessage Post(string prompt, string key) =>
        new(HttpMethod.Post, "/v1/videos") { Content = JsonContent.Create(new { prompt }), Headers = { { "Idempotency-Key", key } } };

    private static HttpRequestMessage Form(string prompt, string boundary, int retry) =>
        new(HttpMethod.Post, "/v1/videos")
        {
            Content = new MultipartFormDataContent(boundary) { { new StringContent(prompt), "prompt" } },
            Headers = { { "X-Stainless-Retry-Count", retry.ToString(System.Globalization.CultureInfo.InvariantCulture) } },
        };

    private async Task<string> IdAsync(HttpRequestMessage request, HttpClient? by = null)
    {
        var reply = await (by ?? _farm.User).SendAsync(request);
        Assert.True(reply.IsSuccessStatusCode, await reply.Content.ReadAsStringAsync());
        return (string)(await reply.JsonAsync())["id"]!;
    }
}
