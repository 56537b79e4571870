using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;

namespace RenderFarm.Api.Tests.Errors;

/// <summary>Whatever is wrong with a request, the answer has one shape, names the fault, and says what would be accepted.</summary>
public sealed class RefusalTests(FarmFixture fixture) : IClassFixture<FarmFixture>
{
    private readonly TestFarm _farm = fixture.Farm;

    [Fact]
    public async Task Videos_WithoutAKey_Is401()
    {
        var reply = await _farm.ClientWith(null).GetAsync("/v1/videos");

        Assert.Equal((401, "invalid_api_key"), await StatusAndCode(reply));
        Assert.Equal("Bearer", reply.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Theory]
    [InlineData("rf_wrong")]
    [InlineData("x")]
    public async Task Videos_WithAWrongKey_Is401(string key) =>
        Assert.Equal((401, "invalid_api_key"), await StatusAndCode(await _farm.ClientWith(key).GetAsync("/v1/videos")));

    [Fact]
    public async Task Videos_WithARevokedKey_Is401AndSaysThatItWasRevoked()
    {
        var admin = _farm.ClientWith(_farm.AdminKey);
        var made = await (await admin.PostAsJsonAsync("/v1/keys", new { name = "soon gone", scopes = new[] { "read" } })).JsonAsync();
        var client = _farm.ClientWith((string)made["key"]!);
        Assert.True((await client.GetAsync("/v1/videos")).IsSuccessStatusCode);

        Assert.True((await admin.DeleteAsync($"/v1/keys/{(string)made["id"]!}")).IsSuccessStatusCode);

        Assert.Equal((401, "key_revoked"), await StatusAndCode(await client.GetAsync("/v1/videos")));
    }

    [Fact]
    public async Task Videos_WithTheWorkersKey_Is403NamingTheScope()
    {
        var refusal = await (await _farm.Worker.GetAsync("/v1/videos")).RefusalAsync();

        Assert.Equal((403, "missing_scope"), (refusal.Status, refusal.Code));
        Assert.Contains("'read'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leases_WithAUsersKey_Is403() =>
        Assert.Equal((403, "missing_scope"), await StatusAndCode(await _farm.User.PostAsJsonAsync("/worker/v1/leases", new { })));

    [Theory]
    [InlineData("""{"prompt":"half \ud83c"}""", "prompt")]
    [InlineData("""{"prompt":"a ball","metadata":{"a":"\udf00"}}""", "metadata.a")]
    [InlineData("""{"prompt":"a ball","webhook_url":"http://example.org/\u0000"}""", "webhook_url")]
    public async Task Create_WithWhatIsNoText_Is400NamingTheField(string body, string param)
    {
        var refusal = await (
            await _farm.User.PostAsync("/v1/videos", new StringContent(body, Encoding.UTF8, "application/json"))
        ).RefusalAsync();

        Assert.Equal((400, param), (refusal.Status, refusal.Param));
    }

    [Fact]
    public async Task List_AfterWhatIsNoId_Is400() =>
        Assert.Equal(
            (400, "after"),
            await (await _farm.User.GetAsync("/v1/videos?after=%00")).RefusalAsync() is var r ? (r.Status, r.Param) : default
        );

    [Theory]
    [InlineData("/nothing/here")]
    [InlineData("/v1/nothing")]
    public async Task AnyPath_ThatIsNotThere_Is404(string path) =>
        Assert.Equal((404, "not_found"), await StatusAndCode(await _farm.User.GetAsync(path)));

    [Fact]
    public async Task Videos_WithAMethodThatIsNotThere_Is405()
    {
        var refusal = await (await _farm.User.PutAsync("/v1/videos", null)).RefusalAsync();

        Assert.Equal(405, refusal.Status);
        Assert.Contains("POST", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "")]
    [InlineData("GET", "/content")]
    [InlineData("GET", "/attempts")]
    [InlineData("DELETE", "")]
    [InlineData("POST", "/cancel")]
    [InlineData("POST", "/retry")]
    public async Task Video_UnknownId_Is404(string method, string action) =>
        Assert.Equal(
            (404, "not_found"),
            await StatusAndCode(
                await _farm.User.SendAsync(new HttpRequestMessage(new HttpMethod(method), $"/v1/videos/video_none{action}"))
            )
        );

    [Theory]
    [InlineData("/v1/videos/edits")]
    [InlineData("/v1/videos/extensions")]
    [InlineData("/v1/videos/characters")]
    [InlineData("/v1/videos/characters/char_1")]
    public async Task Videos_WhatOthersOfferAndWeDont_Is501(string path)
    {
        var reply = await _farm.User.PostAsJsonAsync(path, new { });

        Assert.Equal((501, "not_supported"), await StatusAndCode(reply));
        Assert.Equal("false", reply.Headers.GetValues("x-should-retry").Single());
    }

    [Theory]
    [InlineData("""{"prompt": """, "not valid JSON")]
    [InlineData("""{"prompt": "a", "prompt": "b"}""", "not valid JSON")]
    [InlineData("""["prompt"]""", "JSON object")]
    [InlineData("", "not valid JSON")]
    [InlineData("null", "JSON object")]
    public async Task Create_MalformedJson_Is400SayingWhat(string body, string what)
    {
        var refusal = await (
            await _farm.User.PostAsync("/v1/videos", new StringContent(body, Encoding.UTF8, "application/json"))
        ).RefusalAsync();

        Assert.Equal((400, "invalid_request"), (refusal.Status, refusal.Code));
        Assert.Contains(what, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{\"prompt\": \"\u00ff\"}", "prompt")] // Sent as Latin-1: no UTF-8
    [InlineData("""{"prompt": "a\ud800"}""", "prompt")]
    [InlineData("""{"prompt": "a", "model": "\udc00"}""", "model")]
    [InlineData("""{"prompt": "a", "metadata": {"b": "\ud800"}}""", "metadata.b")]
    [InlineData("""{"prompt": "a", "metadata": {"\ud800": "b"}}""", null)]
    [InlineData("""{"prompt": "a", "\ud800": "b"}""", null)]
    [InlineData("""{"prompt": "a\u0000b"}""", "prompt")]
    [InlineData("""{"prompt": "a", "metadata": {"\u0000": "b"}}""", "metadata")]
    public async Task Create_TextThatCanNotBeKept_Is400NamingTheField(string body, string? param)
    {
        var content = new ByteArrayContent(Encoding.Latin1.GetBytes(body));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var refusal = await (await _farm.User.PostAsync("/v1/videos", content)).RefusalAsync();

        Assert.Equal((400, param is null ? "invalid_request" : "invalid_value", param), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Theory]
    [InlineData("metadata", """{"a":"\ud800"}""", "metadata.a")]
    [InlineData("metadata", """{"\ud800":"a"}""", "metadata")]
    [InlineData("metadata", """{"a":"b","a":"c"}""", "metadata")]
    [InlineData("plan", "{\"precision\"", "plan")]
    [InlineData("negative_prompt", "a\0b", "negative_prompt")]
    public async Task Create_JsonInsideAPartThatIsWrong_Is400NamingTheField(string field, string text, string param)
    {
        var content = new MultipartFormDataContent { { new StringContent("a ball"), "prompt" }, { new StringContent(text), field } };
        var refusal = await (await _farm.User.PostAsync("/v1/videos", content)).RefusalAsync();

        Assert.Equal((400, "invalid_value", param), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Theory]
    [InlineData("""{"prompt":"a","loras":[{"name":"film"}]}""", "loras[0].name", "no LoRAs")]
    [InlineData("""{"prompt":"a","preset":"4-step"}""", "preset", "has none")]
    [InlineData("""{"prompt":"a","step_cache":{"kind":"magcache"}}""", "step_cache", "t2v-14b")]
    [InlineData("""{"prompt":"a","step_cache":{"kind":"deepcache"}}""", "step_cache.kind", "magcache")]
    [InlineData("""{"prompt":"a","step_cache":{"threshold":0.1}}""", "step_cache.kind", "teacache or magcache")]
    public async Task Create_WhatTheModelDoesNotHave_Is400NamingWhatThereIs(string body, string param, string remedy)
    {
        var refusal = await (
            await _farm.User.PostAsync("/v1/videos", new StringContent(body, Encoding.UTF8, "application/json"))
        ).RefusalAsync();

        Assert.Equal((400, "invalid_value", param), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Contains(remedy, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(
        "multipart/form-data; boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "x",
        "at most 70"
    )]
    [InlineData("multipart/form-data", "x", "boundary")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=prompt\r\n\r\na ball", "prompt")]
    [InlineData("multipart/form-data; boundary=b", "no boundary at all", "part 1")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Type: text/plain\r\n\r\na\r\n--b--\r\n", "Content-Disposition")]
    [InlineData(
        "multipart/form-data; boundary=b",
        "--b\r\nContent-Disposition: form-data; name=x; filename*\r\n\r\na\r\n--b--\r\n",
        "'filename*' without a value"
    )]
    [InlineData(
        "multipart/form-data; boundary=b",
        "--b\r\nContent-Disposition: form-data; name=x; filename\r\n\r\na\r\n--b--\r\n",
        "'filename' without a value"
    )]
    public async Task Create_MalformedMultipart_Is400SayingWhere(string type, string body, string where)
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        var refusal = await (await _farm.User.PostAsync("/v1/videos", content)).RefusalAsync();

        Assert.Equal((400, "invalid_request"), (refusal.Status, refusal.Code));
        Assert.Contains(where, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Create_AnotherContentType_Is415(string type) =>
        Assert.Equal(
            (415, "unsupported_media_type"),
            await StatusAndCode(await _farm.User.PostAsync("/v1/videos", new StringContent("prompt=a", Encoding.UTF8, type)))
        );

    [Fact]
    public async Task Create_ABodyAnnouncedTooLarge_Is413BeforeItIsSent()
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/videos")
        {
            Content = new StringContent(new string('x', 33 << 20), Encoding.UTF8, "application/json"),
        };
        request.Headers.ExpectContinue = true;

        Assert.Equal((413, "too_large"), await StatusAndCode(await _farm.User.SendAsync(request)));
    }

    [Theory]
    [InlineData("""{"prompt":"a","size":"100x100"}""", "size", "96x96")]
    [InlineData("""{"prompt":"a","size":"16000x16000"}""", "size", "nearest accepted size")]
    [InlineData("""{"prompt":"a","frames":80}""", "frames", "77 and 81")]
    [InlineData("""{"prompt":""}""", "prompt", "empty")]
    public async Task Create_ABadValue_Is400NamingFieldAndRemedy(string body, string param, string remedy)
    {
        var refusal = await (
            await _farm.User.PostAsync("/v1/videos", new StringContent(body, Encoding.UTF8, "application/json"))
        ).RefusalAsync();

        Assert.Equal((400, "invalid_value", param), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Contains(remedy, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_APromptOf40000Characters_Is400()
    {
        var refusal = await (await _farm.User.PostAsJsonAsync("/v1/videos", new { prompt = new string('a', 40_000) })).RefusalAsync();

        Assert.Equal((400, "invalid_value", "prompt"), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Contains("40000", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_AnUnknownModel_Is400NamingThoseThereAre()
    {
        var refusal = await (await _farm.User.PostAsJsonAsync("/v1/videos", new { prompt = "a", model = "sora-9" })).RefusalAsync();

        Assert.Equal((400, "unknown_model", "model"), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Contains("tiny", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_AMisspeltKey_Is400NamingTheNearest()
    {
        var refusal = await (await _farm.User.PostAsJsonAsync("/v1/videos", new { prompt = "a", guidance = 3 })).RefusalAsync();

        Assert.Equal((400, "unknown_parameter", "guidance"), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Contains("'guidance_scale'", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("limit=101", "limit")]
    [InlineData("limit=-1", "limit")]
    [InlineData("order=up", "order")]
    [InlineData("after=garbage", "after")]
    [InlineData("after=%00", "after")]
    public async Task List_ABadQuery_Is400(string query, string param)
    {
        var refusal = await (await _farm.User.GetAsync($"/v1/videos?{query}")).RefusalAsync();

        Assert.Equal((400, "invalid_value", param), (refusal.Status, refusal.Code, refusal.Param));
    }

    [Fact]
    public async Task Register_ABodyThatLacksAField_Is400NamingIt()
    {
        var refusal = await (await _farm.Worker.PostAsJsonAsync("/worker/v1/register", new { name = "w" })).RefusalAsync();

        Assert.Equal((400, "invalid_value", "host"), (refusal.Status, refusal.Code, refusal.Param));
        Assert.Equal("'host', 'version', 'slots', 'models' are missing.", refusal.Message);
    }

    [Fact]
    public async Task Register_ANullWhereSomethingMustBe_Is400NamingIt()
    {
        var body = """{"name":"w","host":"h","version":"1","slots":null,"models":[]}""";
        var refusal = await (
            await _farm.Worker.PostAsync("/worker/v1/register", new StringContent(body, Encoding.UTF8, "application/json"))
        ).RefusalAsync();

        Assert.Equal((400, "invalid_value", "slots"), (refusal.Status, refusal.Code, refusal.Param));
    }

    private static async Task<(int, string)> StatusAndCode(HttpResponseMessage reply)
    {
        var (status, code, _, _) = await reply.RefusalAsync();
        return (status, code);
    }
}
