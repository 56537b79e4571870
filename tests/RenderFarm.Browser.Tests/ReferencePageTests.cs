using RenderFarm.Testing.Farms;

namespace RenderFarm.Browser.Tests;

/// <summary><c>/scalar</c> in a browser: it works under its own policy, and nothing else runs there.</summary>
public sealed class ReferencePageTests : IAsyncLifetime
{
    private FarmUnderTest _farm = null!;

    public async ValueTask InitializeAsync() => _farm = await FarmUnderTest.StartAsync(new FarmSetup(), workers: 0);

    public ValueTask DisposeAsync() => _farm.DisposeAsync();

    [Fact]
    public async Task Page_InABrowser_ShowsTheInterfaceAndBreaksNoRuleOfItsOwn()
    {
        var page = await Chromium.LoadAsync(new Uri($"{_farm.Url}/scalar/v1"));

        Assert.Contains("Submit a video", page.Document, StringComparison.Ordinal);
        Assert.Contains("Worker protocol", page.Document, StringComparison.Ordinal);
        Assert.DoesNotContain(page.Console, line => line.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_WithAScriptThatSomebodyPlanted_DoesNotRunIt()
    {
        using var spoilt = new SpoiltPage(
            new Uri(_farm.Url),
            "<script>document.title = 'planted'</script><img src=x onerror=\"document.title = 'planted'\">"
        );

        var page = await Chromium.LoadAsync(new Uri(spoilt.Address, "/scalar/v1"));

        Assert.Contains("Submit a video", page.Document, StringComparison.Ordinal);
        Assert.DoesNotContain("<title>planted", page.Document, StringComparison.Ordinal);
        Assert.Contains(page.Console, line => line.Contains("Content Security Policy", StringComparison.Ordinal));
    }
}
