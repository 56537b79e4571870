using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>A farm that is asked for nonsense says so, clearly, and goes on.</summary>
public sealed class BadInput : IAsyncLifetime
{
    private FarmUnderTest _farm = null!;

    public async ValueTask InitializeAsync() => _farm = await FarmUnderTest.StartAsync(new FarmSetup());

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Submit_Nonsense_IsRefusedWithACodeAndTheFieldAndTheFarmGoesOn()
    {
        await RefusedAsync(With("prompt", ""), HttpStatusCode.BadRequest, "invalid_value", "prompt");
        await RefusedAsync(With("prompt", new string('x', 40_000)), HttpStatusCode.BadRequest, "invalid_value", "prompt");
        await RefusedAsync(With("size", "65x48"), HttpStatusCode.BadRequest, "invalid_value", "size", "64x48");
        await RefusedAsync(With("size", "90000x90000"), HttpStatusCode.BadRequest, "invalid_value", "size");
        await RefusedAsync(With("frames", 10), HttpStatusCode.BadRequest, "invalid_value", "frames", "9", "13");
        await RefusedAsync(With("model", "no-such-model"), HttpStatusCode.BadRequest, "unknown_model", "model");
        await RefusedAsync(With("stepz", 4), HttpStatusCode.BadRequest, "unknown_parameter", "stepz", "steps");

        await RefusedAsync(
            new StringContent("{\"prompt\": ", Encoding.UTF8, "application/json"),
            HttpStatusCode.BadRequest,
            "invalid_request"
        );
        var multipart = new StringContent("--x\r\nnot a part");
        multipart.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x");
        await RefusedAsync(multipart, HttpStatusCode.BadRequest, "invalid_request");

        await _farm.CompletedAsync((await _farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task AnyCall_WrongKey_IsRefused()
    {
        using var stranger = new HttpClient { BaseAddress = new Uri(_farm.Url) };
        stranger.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "rf_wrong");
        foreach (var path in new[] { "/v1/videos", "/v1/models", "/v1/videos/video_x/content" })
        {
            using var answer = await stranger.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            Assert.Equal("invalid_api_key", await CodeAsync(answer));
        }
    }

    private static JsonContent With(string field, object value)
    {
        var request = Requests.Quick();
        request[field] = value;
        return JsonContent.Create(request);
    }

    private async Task RefusedAsync(HttpContent content, HttpStatusCode status, string code, string? param = null, params string[] said)
    {
        using var answer = await _farm.PostAsync("/v1/videos", content);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{(int)answer.StatusCode}: {body}");
        var error = JsonDocument.Parse(body).RootElement.GetProperty("error");
        Assert.Equal((code, param), (error.GetProperty("code").GetString(), error.GetProperty("param").GetString()));
        foreach (var words in said)
        {
            Assert.Contains(words, error.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage answer) =>
        JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("error").GetProperty("code").GetString();
}
