using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using RenderFarm.Browser.Tests.Farm;
using RenderFarm.Contracts.Leases;

namespace RenderFarm.Browser.Tests.Pages;

/// <summary>Every page in both themes and on a phone: a picture to look at, and nothing serious that axe finds.</summary>
public sealed class PictureTests(PageFarm farm)
{
    private static readonly (string Name, ColorScheme Theme, int Width, int Height)[] Looks =
    [
        ("light", ColorScheme.Light, 1280, 800),
        ("dark", ColorScheme.Dark, 1280, 800),
        ("phone", ColorScheme.Light, 360, 740),
        ("phone-dark", ColorScheme.Dark, 360, 740),
    ];

    [Fact]
    public async Task Pages_InEveryLook_AreFreeOfSeriousFindings()
    {
        await using var studio = await farm.StudioAsync();
        var paths = await FurnishAsync(studio);
        var findings = new List<string>();
        foreach (var (look, theme, width, height) in Looks)
        {
            var page = await studio.OpenAsync("/videos");
            await page.EmulateMediaAsync(new() { ColorScheme = theme, ReducedMotion = ReducedMotion.Reduce });
            await page.SetViewportSizeAsync(width, height);
            await studio.Worker.StillThereAsync();
            foreach (var (name, path) in paths)
            {
                await page.GotoAsync(path);
                await page.WaitForFunctionAsync(
                    "() => document.documentElement.dataset.ready && [...document.images].every(one => one.complete || one.hidden)"
                    + " && (document.querySelector('[data-outlook]')?.textContent.trim() ?? 'x')"
                );
                await page.ScreenshotAsync(new() { Path = Path.Combine(PageFarm.Pictures, $"{name}-{look}.png") });
                var wide = await page.EvaluateAsync<int>("() => document.documentElement.scrollWidth - innerWidth");
                if (wide > 0)
                {
                    findings.Add($"{name} {look}: {wide} px wider than the window");
                }

                if (width < 1000)
                {
                    continue; // The same document, laid out otherwise
                }

                var seen = await page.RunAxe();
                findings.AddRange(
                    seen.Violations.Where(violation => violation.Impact is "serious" or "critical")
                        .Select(violation =>
                            $"{name} {look}: {violation.Id} {violation.Help}: {string.Join(" | ", violation.Nodes.Select(HtmlOf))}"
                        )
                );
            }

            await page.CloseAsync();
        }

        Assert.True(findings.Count == 0, string.Join(Environment.NewLine, findings));
        // One of the pages is there to be missing
        Assert.DoesNotContain(studio.Console, line => !line.Contains("404", StringComparison.Ordinal));
    }

    /// <summary>Videos in every state, as a farm has them on a working day.</summary>
    private static async Task<IReadOnlyList<(string Name, string Path)>> FurnishAsync(Studio studio)
    {
        string[] prompts =
        [
            "A paper boat drifts across a rain puddle, the camera low over the water",
            "Red fox in fresh snow at dawn, breath in the cold air, slow push in",
            "Steam rises from a cup of tea by a window, dust in the sunlight",
            "A lighthouse in a storm, long exposure, waves break over the rocks and the beam turns through the spray",
            "Paper lanterns float down a river at night, far away and close",
        ];
        var done = "";
        foreach (var (prompt, i) in prompts.Select((prompt, i) => (prompt, i)))
        {
            done = await studio.FinishedAsync(prompt, i % 3, new { metadata = new { scene = "sea" } });
        }

        var failed = await studio.SubmitAsync("Ten thousand candles in a cathedral, the camera rises", new { max_attempts = 1 });
        await studio.Worker.TakeAsync(failed);
        await studio.Worker.FailAsync(
            failed,
            FailureReason.RendererCrashed,
            "the renderer ended with signal 11 (SIGSEGV) at step 3 of 30",
            "step 2 of 30\nstep 3 of 30\nfatal: an illegal instruction in libtorch_cuda.so"
        );
        var running = await studio.SubmitAsync("A glass of water on a moving train, countryside in the window");
        await studio.Worker.TakeAsync(running);
        await studio.Worker.RenewAsync(running, 12);
        var waiting = await studio.SubmitAsync("An old bicycle against a blue wall, noon, shadows move");
        var batch = await studio.BatchAsync("A kite over dunes at dusk", seeds: 4);
        var cancelled = await studio.SubmitAsync("Fog over rice terraces");
        using var answer = await studio.Http.PostAsync($"/v1/videos/{cancelled}/cancel", null);
        answer.EnsureSuccessStatusCode();
        return
        [
            ("videos", "/videos"),
            ("table", "/videos?view=table"),
            ("one", $"/videos/{done}"),
            ("failed", $"/videos/{failed}"),
            ("running", $"/videos/{running}"),
            ("waiting", $"/videos/{waiting}"),
            ("new", $"/new?model={studio.Model}"),
            ("again", $"/new?from={done}"),
            ("sign-in", "/sign-in?refused=key"),
            ("batch", $"/videos?batch={batch}"),
            ("missing", "/videos/video_0000"),
        ];
    }

    private static string HtmlOf(AxeResultNode node) => node.Html.Length <= 120 ? node.Html : node.Html[..120];
}
