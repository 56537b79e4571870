using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace RenderFarm.Api.Tests.Sessions;

/// <summary>A browser signs in, and its cookie is good for what the key is good for, and no longer.</summary>
public sealed class SessionTests
{
    private readonly FakeTimeProvider _clock = new(TimeProvider.System.GetUtcNow());

    [Fact]
    public async Task SignIn_WithAKey_GivesACookieThatScriptsCantReadAndThatLooksAtV1()
    {
        await using var farm = await FarmAsync();
        using var browser = new BrowserUnderTest(farm.Address);

        using var answer = await browser.SignInAsync(("key", farm.AdminKey), ("next", "/videos?status=failed"));

        Assert.Equal((HttpStatusCode.SeeOther, "/videos?status=failed"), (answer.StatusCode, answer.Headers.Location?.OriginalString));
        var cookie = answer.Headers.GetValues("Set-Cookie").Single();
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain(farm.AdminKey, cookie, StringComparison.Ordinal);
        using var list = await browser.GetAsync("/v1/videos");
        Assert.Equal(HttpStatusCode.OK, list.StatusCode);
    }

    [Theory]
    [InlineData("//elsewhere.example")]
    [InlineData("https://elsewhere.example/")]
    [InlineData("/\\elsewhere.example")]
    public async Task SignIn_WithAWayElsewhere_StaysHere(string next)
    {
        await using var farm = await FarmAsync();
        using var browser = new BrowserUnderTest(farm.Address);

        using var answer = await browser.SignInAsync(("key", farm.AdminKey), ("next", next));

        Assert.Equal("/", answer.Headers.Location?.OriginalString);
    }

    [Fact]
    public async Task SignIn_FromAnotherOrigin_IsRefused()
    {
        await using var farm = await FarmAsync();
        using var browser = new BrowserUnderTest(farm.Address) { Origin = "http://elsewhere.example" };

        using var answer = await browser.SignInAsync(("key", farm.AdminKey));

        Assert.StartsWith("/sign-in?refused=page", answer.Headers.Location?.OriginalString, StringComparison.Ordinal);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task Code_IsGoodOnce_AndLookingAtItsLinkSpendsNothing()
    {
        await using var farm = await FarmAsync();
        var made = await (await farm.User.PostAsync("/v1/session/codes", null)).Content.ReadFromJsonAsync<JsonObject>();
        var (code, path) = ((string)made!["code"]!, (string)made["path"]!);
        using var first = new BrowserUnderTest(farm.Address);
        for (var i = 0; i < 2; i++)
        {
            using var looked = await first.GetAsync(path);
            Assert.Contains(code, await looked.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using var used = await first.SignInAsync(("code", code));
        using var again = await first.SignInAsync(("code", code));

        Assert.Equal("/", used.Headers.Location?.OriginalString);
        Assert.StartsWith("/sign-in?refused=code", again.Headers.Location?.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Code_AfterTenMinutes_IsOver()
    {
        await using var farm = await FarmAsync();
        var made = await (await farm.User.PostAsync("/v1/session/codes", null)).Content.ReadFromJsonAsync<JsonObject>();
        using var browser = new BrowserUnderTest(farm.Address);
        _clock.Advance(TimeSpan.FromMinutes(10));

        using var answer = await browser.SignInAsync(("code", (string)made!["code"]!));

        Assert.StartsWith("/sign-in?refused=code", answer.Headers.Location?.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cookie_OfAKeyThatIsRevoked_IsOverAtOnce()
    {
        await using var farm = await FarmAsync();
        var key = await (await farm.User.PostAsJsonAsync("/v1/keys", new { name = "artist" })).Content.ReadFromJsonAsync<JsonObject>();
        using var browser = new BrowserUnderTest(farm.Address);
        using var signed = await browser.SignInAsync(("key", (string)key!["key"]!));
        using var before = await browser.GetAsync("/v1/session");
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);

        await farm.User.DeleteAsync($"/v1/keys/{(string)key["id"]!}");

        using var after = await browser.GetAsync("/v1/session");
        Assert.Equal((401, "session_over"), await after.RefusalAsync() is var r ? (r.Status, r.Code) : default);
        using var page = await browser.GetAsync("/videos");
        Assert.StartsWith("/sign-in?next=", page.Headers.Location?.OriginalString, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cookie_AfterThirtyDays_IsOver()
    {
        await using var farm = await FarmAsync();
        using var browser = new BrowserUnderTest(farm.Address);
        using var signed = await browser.SignInAsync(("key", farm.AdminKey));
        _clock.Advance(TimeSpan.FromDays(30));

        using var answer = await browser.GetAsync("/v1/session");

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task SignOut_EndsTheSession()
    {
        await using var farm = await FarmAsync();
        using var browser = new BrowserUnderTest(farm.Address);
        using var signed = await browser.SignInAsync(("key", farm.AdminKey));
        var kept = browser.Cookie;

        using var left = await browser.PostAsync("/sign-out", []);

        using var copy = new BrowserUnderTest(farm.Address) { Cookie = kept };
        using var answer = await copy.GetAsync("/v1/session");
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
    }

    [Fact]
    public async Task Cookie_WithoutTheWordOfThePage_ChangesNothing()
    {
        await using var farm = await FarmAsync();
        using var browser = new BrowserUnderTest(farm.Address);
        using var signed = await browser.SignInAsync(("key", farm.AdminKey));
        var csrf = await browser.CsrfAsync();

        using var without = await browser.SendAsync(HttpMethod.Post, "/v1/session/codes");
        using var wrong = await browser.SendAsync(HttpMethod.Post, "/v1/session/codes", csrf[..^1] + (csrf[^1] == '0' ? '1' : '0'));
        using var crossSite = await browser.SendAsync(HttpMethod.Post, "/v1/session/codes", csrf, site: "cross-site");
        using var sameSite = await browser.SendAsync(HttpMethod.Post, "/v1/session/codes", csrf, site: "same-site");
        using var right = await browser.SendAsync(HttpMethod.Post, "/v1/session/codes", csrf, site: "same-origin");
        using var byOrigin = await browser.SendAsync(HttpMethod.Post, "/v1/session/codes", csrf);

        foreach (var refused in new[] { without, wrong, crossSite, sameSite })
        {
            Assert.Equal((403, "not_from_the_page"), await refused.RefusalAsync() is var r ? (r.Status, r.Code) : default);
        }

        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (right.StatusCode, byOrigin.StatusCode));
    }

    [Fact]
    public async Task Form_OfThePage_GoesThroughTheOperationWithTheKeysScopes()
    {
        await using var farm = await FarmAsync();
        await farm.RegisterWorkerAsync();
        var looks = await (await farm.User.PostAsJsonAsync("/v1/keys", new { name = "looks", scopes = new[] { "read" } }))
            .Content.ReadFromJsonAsync<JsonObject>();
        using var artist = new BrowserUnderTest(farm.Address);
        using var signed = await artist.SignInAsync(("key", farm.AdminKey));
        using var onlooker = new BrowserUnderTest(farm.Address);
        using var signedToo = await onlooker.SignInAsync(("key", (string)looks!["key"]!));

        using var made = await artist.PostAsync("/new", [("prompt", "<b>a & b</b>"), ("csrf", await artist.CsrfAsync()), ("seed", "7")]);
        using var refused = await onlooker.PostAsync("/new", [("prompt", "a fox"), ("csrf", await onlooker.CsrfAsync())]);
        using var unsafely = await artist.PostAsync("/new", [("prompt", "a fox")]);

        Assert.Equal(HttpStatusCode.SeeOther, made.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, unsafely.StatusCode);
        var videos = await farm.User.GetFromJsonAsync<JsonObject>("/v1/videos");
        Assert.Equal(["<b>a & b</b>"], videos!["data"]!.AsArray().Select(video => (string)video!["prompt"]!));
        using var page = await artist.GetAsync(made.Headers.Location!.OriginalString);
        var html = await page.Content.ReadAsStringAsync();
        Assert.Contains("&lt;b&gt;a &amp; b&lt;/b&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>a", html, StringComparison.Ordinal);
    }

    private Task<TestFarm> FarmAsync() => TestFarm.StartAsync(builder => builder.Services.AddSingleton<TimeProvider>(_clock));
}
