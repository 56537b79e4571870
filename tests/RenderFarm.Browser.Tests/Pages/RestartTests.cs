using RenderFarm.Browser.Tests.Farm;
using static Microsoft.Playwright.Assertions;

namespace RenderFarm.Browser.Tests.Pages;

/// <summary>The API goes away under an open page, and comes back.</summary>
public sealed class RestartTests : IAsyncLifetime
{
    private readonly PageFarm _farm = new();

    public ValueTask InitializeAsync() => _farm.InitializeAsync();

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Api_ThatIsRestarted_IsMissedAndFoundAgain_AndNothingIsMissing()
    {
        await using var studio = await _farm.StudioAsync();
        var id = await studio.SubmitAsync("before");
        var list = await studio.OpenAsync("/videos");
        await list.WaitForFunctionAsync("() => document.documentElement.dataset.ready");
        await studio.SubmitAsync("heard");
        await Expect(list.Locator("[data-news]")).ToContainTextAsync("1 new");

        await _farm.Farm.Api.KillAsync();
        await Expect(list.Locator("[data-say]")).ToContainTextAsync("Connection lost");
        await _farm.Farm.StartApiAsync();
        // While the page was not told of anything yet
        using var answer = await studio.Http.PostAsync($"/v1/videos/{id}/cancel", null, TestContext.Current.CancellationToken);
        answer.EnsureSuccessStatusCode();

        await Expect(list.Locator($"#v-{id}")).ToHaveAttributeAsync("data-state", "cancelled");
        await studio.SubmitAsync("after");
        await Expect(list.Locator("[data-news]")).ToContainTextAsync("2 new");
        Assert.DoesNotContain(studio.Console, line => line.Contains("Content Security Policy", StringComparison.Ordinal));
    }
}
