using Microsoft.Playwright;
using RenderFarm.Browser.Tests.Farm;

namespace RenderFarm.Browser.Tests;

/// <summary><c>/scalar</c> in a browser: it works under its own policy, and nothing else runs there.</summary>
public sealed class ReferencePageTests(PageFarm farm)
{
    [Fact]
    public async Task Page_InABrowser_ShowsTheInterfaceAndBreaksNoRuleOfItsOwn()
    {
        await using var browser = await farm.BrowserAsync();
        var page = await browser.NewPageAsync();
        var complaints = ComplaintsOf(page);

        await page.GotoAsync("/scalar/v1");

        await page.GetByText("Submit a video").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
        await page.GetByText("Worker protocol").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
        Assert.DoesNotContain(complaints, line => line.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_WithAScriptThatSomebodyPlanted_DoesNotRunIt()
    {
        using var spoilt = new SpoiltPage(
            new Uri(farm.Farm.Url),
            "<script>document.title = 'planted'</script><img src=x onerror=\"document.title = 'planted'\">"
        );
        await using var browser = await farm.BrowserAsync();
        var page = await browser.NewPageAsync();
        var complaints = ComplaintsOf(page);

        await page.GotoAsync(new Uri(spoilt.Address, "/scalar/v1").AbsoluteUri);

        await page.GetByText("Submit a video").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
        Assert.DoesNotContain("planted", await page.TitleAsync(), StringComparison.Ordinal);
        Assert.Contains(complaints, line => line.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    private static List<string> ComplaintsOf(IPage page)
    {
        var said = new List<string>();
        page.Console += (_, message) => said.Add(message.Text);
        return said;
    }
}
