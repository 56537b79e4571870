using RenderFarm.Browser.Tests.Farm;
using static Microsoft.Playwright.Assertions;

namespace RenderFarm.Browser.Tests.Pages;

/// <summary>The page when things go wrong, or when much of a browser is missing.</summary>
public sealed class TroubleTests(PageFarm farm)
{
    [Fact]
    public async Task Session_ThatIsOverInAForm_CostsNothingThatWasTyped()
    {
        await using var studio = await farm.StudioAsync();
        var page = await studio.OpenAsync($"/new");
        await page.FillAsync("#f-prompt", "forty lines of careful words");
        await page.EvaluateAsync("() => fetch('/sign-out', { method: 'POST', redirect: 'manual' })");

        await page.ClickAsync("[data-send]");
        await Expect(page.Locator("[data-say]")).ToContainTextAsync("what you typed is kept");
        await page.ClickAsync("[data-say] a");
        await page.FillAsync("#key", studio.Key);
        await page.ClickAsync("button:has-text('Sign in')");

        await page.WaitForURLAsync("**/new");
        await Expect(page.Locator("#f-prompt")).ToHaveValueAsync("forty lines of careful words");
        await Expect(page.Locator("[data-kept]")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task WithoutScripts_AVideoIsMadeAndFound()
    {
        await using var studio = await farm.StudioAsync(new() { JavaScriptEnabled = false });
        var page = await studio.OpenAsync("/videos");
        await page.ClickAsync("a.primary");
        await page.FillAsync("#f-prompt", "without a script");
        await page.CheckAsync($"[name=model][value='{studio.Model}']", new() { Force = true });
        await page.CheckAsync("[name=seconds_chip] >> nth=0", new() { Force = true });
        await page.ClickAsync("[data-plan]");
        await Expect(page.Locator("[data-outlook]")).ToContainTextAsync("On rack-");

        await page.ClickAsync("[data-send]");

        await Expect(page.Locator("h1")).ToHaveTextAsync("without a script");
        await Expect(page.Locator("[data-fact=length]")).ToContainTextAsync("21 frames");
        await page.ClickAsync("form[data-act=cancel] button");
        await Expect(page.Locator("article")).ToHaveAttributeAsync("data-state", "cancelled");
        await page.GotoAsync("/videos");
        await Expect(page.Locator(".card")).ToHaveCountAsync(1);
        await page.ClickAsync(".card .poster");
        await page.ClickAsync("form[data-act=delete] button");
        await Expect(page.Locator(".card")).ToHaveCountAsync(0);
        await page.ClickAsync("form[data-act=undelete] button");
        await Expect(page.Locator("h1")).ToHaveTextAsync("without a script");
    }

    [Fact]
    public async Task Two_AtOneVideo_TheLaterSeesWhatBecameOfIt()
    {
        await using var studio = await farm.StudioAsync();
        var id = await studio.SubmitAsync("ours");
        var (mine, theirs) = (await studio.OpenAsync($"/videos/{id}"), await studio.OpenAsync($"/videos/{id}"));

        await mine.ClickAsync("form[data-act=cancel] button");

        await Expect(theirs.Locator("article")).ToHaveAttributeAsync("data-state", "cancelled");
    }

    [Fact]
    public async Task Tabs_OfOneBrowser_ShareOneStream_AndAnotherGoesOnWhenTheFirstIsClosed()
    {
        await using var studio = await farm.StudioAsync();
        var streams = 0;
        studio.Browser.Request += (_, request) => streams += request.Url.Contains("/v1/events", StringComparison.Ordinal) ? 1 : 0;
        var first = await studio.OpenAsync("/videos");
        await first.WaitForFunctionAsync("() => document.documentElement.dataset.ready");
        var second = await studio.OpenAsync("/videos");
        await second.WaitForFunctionAsync("() => document.documentElement.dataset.ready");
        await studio.SubmitAsync("heard in both");
        await Expect(first.Locator("[data-news]")).ToContainTextAsync("1 new");
        await Expect(second.Locator("[data-news]")).ToContainTextAsync("1 new");
        Assert.Equal(1, streams);

        await first.CloseAsync();
        await studio.SubmitAsync("heard in the other");

        await Expect(second.Locator("[data-news]")).ToContainTextAsync("2 new");
    }

    [Fact]
    public async Task Refusal_KeepsTheRowOnTop()
    {
        await using var studio = await farm.StudioAsync();
        var page = await studio.OpenAsync("/videos?status=banana");

        await Expect(page.Locator("[data-refusal]")).ToContainTextAsync("banana");
        await Expect(page.Locator("nav a[href='/new']")).ToBeVisibleAsync();
        await page.GotoAsync("/videos/video_0000");
        await Expect(page.Locator("h1")).ToHaveTextAsync("It isn't here");
    }

    [Fact]
    public async Task Markup_InAPrompt_IsText()
    {
        await using var studio = await farm.StudioAsync();
        await studio.SubmitAsync("<img src=x onerror=\"document.title='planted'\"><script>document.title='planted'</script>");
        var page = await studio.OpenAsync("/videos");

        await Expect(page.Locator(".card .prompt")).ToContainTextAsync("<script>document.title='planted'</script>");
        Assert.DoesNotContain("planted", await page.TitleAsync(), StringComparison.Ordinal);
        Assert.Empty(studio.Console);
    }

    [Fact]
    public async Task Chinese_IsShownToWhoeverReadsIt()
    {
        await using var studio = await farm.StudioAsync(name: "艺术家", options: new() { Locale = "en-US" });
        await using var browser = await farm.BrowserAsync(new() { Locale = "zh-CN" });
        var page = await browser.NewPageAsync();

        await page.GotoAsync("/sign-in");

        await Expect(page.Locator("h1")).ToHaveTextAsync("登录");
        await Expect(page.Locator("html")).ToHaveAttributeAsync("lang", "zh");
    }
}
