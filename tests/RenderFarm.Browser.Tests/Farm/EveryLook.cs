using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace RenderFarm.Browser.Tests.Farm;

/// <summary>Pages in both themes, at a desk and on a phone: a picture of each to look at, and what is wrong with it.</summary>
internal static class EveryLook
{
    private static readonly (string Name, ColorScheme Theme, int Width, int Height)[] Looks =
    [
        ("light", ColorScheme.Light, 1280, 800),
        ("dark", ColorScheme.Dark, 1280, 800),
        ("phone", ColorScheme.Light, 360, 740),
        ("phone-dark", ColorScheme.Dark, 360, 740),
    ];

    /// <summary>Serious findings of axe, and pages that are wider than the window.</summary>
    public static async Task<IReadOnlyList<string>> FindingsAsync(IPage page, IReadOnlyList<(string Name, string Path)> paths)
    {
        var findings = new List<string>();
        foreach (var (look, theme, width, height) in Looks)
        {
            await page.EmulateMediaAsync(new() { ColorScheme = theme, ReducedMotion = ReducedMotion.Reduce });
            await page.SetViewportSizeAsync(width, height);
            foreach (var (name, path) in paths)
            {
                await page.GotoAsync(path);
                await page.ScreenshotAsync(new() { Path = Path.Combine(PageFarm.Pictures, $"{name}-{look}.png"), FullPage = true });
                var wide = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth");
                if (wide > 0)
                {
                    findings.Add($"{name} {look}: {wide} px wider than the window");
                }

                var seen = await page.RunAxe();
                findings.AddRange(
                    seen.Violations.Where(violation => violation.Impact is "serious" or "critical")
                        .Select(violation =>
                            $"{name} {look}: {violation.Id} {violation.Help}: {string.Join(" | ", violation.Nodes.Select(HtmlOf))}"
                        )
                );
            }
        }

        return findings;
    }

    private static string HtmlOf(AxeResultNode node) => node.Html.Length <= 120 ? node.Html : node.Html[..120];
}
