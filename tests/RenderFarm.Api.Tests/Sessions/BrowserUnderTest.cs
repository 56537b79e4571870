using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace RenderFarm.Api.Tests.Sessions;

/// <summary>What a browser sends of itself: its cookie, and whence a form comes. It follows nothing.</summary>
internal sealed class BrowserUnderTest : IDisposable
{
    private readonly HttpClient _http;

    public BrowserUnderTest(Uri farm)
    {
        _http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = farm };
        Origin = farm.GetLeftPart(UriPartial.Authority);
    }

    public string Origin { get; init; }
    public string? Cookie { get; set; }

    public void Dispose() => _http.Dispose();

    public Task<HttpResponseMessage> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<HttpResponseMessage> SignInAsync(params (string Name, string Value)[] fields) => PostAsync("/sign-in", fields);

    public async Task<HttpResponseMessage> PostAsync(string path, (string Name, string Value)[] fields)
    {
        using var form = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        return await SendAsync(HttpMethod.Post, path, content: form);
    }

    public async Task<string> CsrfAsync()
    {
        using var answer = await GetAsync("/v1/session");
        return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["csrf"]!;
    }

    /// <param name="site">What <c>Sec-Fetch-Site</c> says; null as over plain HTTP.</param>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        string? csrf = null,
        string? site = null,
        HttpContent? content = null
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        foreach (var (name, value) in new[] { ("Cookie", Cookie), ("x-renderfarm-csrf", csrf), ("Sec-Fetch-Site", site) })
        {
            if (value is not null)
            {
                request.Headers.Add(name, value);
            }
        }

        if (method != HttpMethod.Get)
        {
            request.Headers.Add("Origin", Origin);
        }

        var answer = await _http.SendAsync(request);
        if (answer.Headers.TryGetValues("Set-Cookie", out var cookies))
        {
            Cookie = cookies.Single().Split(';')[0];
        }

        return answer;
    }
}
