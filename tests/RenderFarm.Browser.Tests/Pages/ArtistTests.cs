using System.Text.RegularExpressions;
using Microsoft.Playwright;
using RenderFarm.Browser.Tests.Farm;
using RenderFarm.Contracts.Leases;
using RenderFarm.Planning.Models;
using static Microsoft.Playwright.Assertions;

namespace RenderFarm.Browser.Tests.Pages;

/// <summary>An artist's day, told by what they press and see.</summary>
public sealed partial class ArtistTests(PageFarm farm)
{
    [Fact]
    public async Task Video_FromThePromptWithAPicture_IsWatchedPlayedAndUsedAgain()
    {
        await using var studio = await farm.StudioAsync(shape: ModelShapes.I2v14B480);
        var film = (await farm.FilmsAsync())[1];
        var page = await studio.OpenAsync($"/new?model={studio.Model}");
        await page.FillAsync("#f-prompt", "A <i>kite</i> over dunes & sea");
        await page.SetInputFilesAsync(
            "#f-input_reference",
            new FilePayload
            {
                Name = "first.webp",
                MimeType = "image/webp",
                Buffer = film.Thumbnail,
            }
        );
        await Expect(page.Locator("[data-outlook]")).ToContainTextAsync("On rack-");
        await Expect(page.Locator("[data-outlook]")).ToContainTextAsync("GiB");

        await page.ClickAsync("[data-send]");
        await page.WaitForURLAsync(OneVideo());
        var id = page.Url.Split('/')[^1];
        await Expect(page.Locator("h1")).ToHaveTextAsync("A <i>kite</i> over dunes & sea");

        var lease = await studio.Worker.TakeAsync(id);
        Assert.Equal("input_reference", Assert.Single(lease.Inputs).Role);
        await studio.Worker.RenewAsync(id, 10);
        await Expect(page.Locator("article")).ToHaveAttributeAsync("data-state", "running");
        await studio.Worker.StepAsync(id, 11, film.Preview);
        await Expect(page.Locator("[data-preview]")).ToBeVisibleAsync();
        await Expect(page.Locator(".now [data-word]")).ToContainTextAsync($"11/{lease.Spec.Steps}");

        await studio.Worker.CompleteAsync(id, film);
        await Expect(page.Locator("video")).ToBeVisibleAsync();
        await page.WaitForFunctionAsync("() => document.querySelector('video').readyState >= 2");
        await page.ClickAsync("[data-step='1']");
        await Expect(page.Locator("[data-frame]")).ToContainTextAsync("2 /");
        await page.ClickAsync("[data-play]");
        await page.WaitForFunctionAsync("() => !document.querySelector('video').paused");

        await page.ClickAsync("[data-use]");
        await Expect(page.Locator("#f-prompt")).ToHaveValueAsync("A <i>kite</i> over dunes & sea");
        await Expect(page.Locator("#f-seed")).ToHaveValueAsync(lease.Spec.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Empty(studio.Console);
    }

    [Fact]
    public async Task Videos_WhileTheyRender_ChangeInTheListAndNewOnesWait()
    {
        await using var studio = await farm.StudioAsync();
        var id = await studio.SubmitAsync("first");
        var page = await studio.OpenAsync("/videos");
        var card = page.Locator($"#v-{id}");
        await Expect(card).ToHaveAttributeAsync("data-state", "waiting");

        await studio.Worker.TakeAsync(id);
        await studio.Worker.RenewAsync(id, 3);
        await Expect(card).ToHaveAttributeAsync("data-state", "running");
        await studio.Worker.StepAsync(id, 7);
        await Expect(card.Locator("[data-word]")).ToContainTextAsync("7/");
        await studio.Worker.CompleteAsync(id, (await farm.FilmsAsync())[0]);
        await Expect(card.Locator("img[src*=thumbnail]")).ToBeVisibleAsync();

        var second = await studio.SubmitAsync("second");
        await Expect(page.Locator("[data-news]")).ToContainTextAsync("1 new");
        await Expect(page.Locator($"#v-{second}")).ToHaveCountAsync(0);
        await page.ClickAsync("[data-news] a");
        await Expect(page.Locator($"#v-{second}")).ToBeVisibleAsync();
        Assert.Empty(studio.Console);
    }

    [Fact]
    public async Task Video_Remixed_IsAnotherWithTheSameSettings_AndIsComparedBesideIt()
    {
        await using var studio = await farm.StudioAsync();
        var id = await studio.FinishedAsync("a harbour at noon", more: new { seed = 5, steps = 9 });
        var page = await studio.OpenAsync($"/videos/{id}");
        await page.ClickAsync(".remix summary");
        await page.FillAsync("#remix", "a harbour at night");

        await page.ClickAsync(".remix button");

        await Expect(page.Locator("h1")).ToHaveTextAsync("a harbour at night");
        await Expect(page.Locator("[data-fact=seed]")).ToHaveTextAsync("5");
        await Expect(page.Locator("[data-fact=steps]")).ToHaveTextAsync("9");
        var made = page.Url.Split('/')[^1];
        await studio.Worker.TakeAsync(made);
        await studio.Worker.CompleteAsync(made, (await farm.FilmsAsync())[1]);
        await Expect(page.Locator("video")).ToBeVisibleAsync();
        await page.GotoAsync($"/videos/{made}?with={id}");
        await Expect(page.Locator("[data-player]")).ToHaveCountAsync(2);
        await page.WaitForFunctionAsync("() => [...document.querySelectorAll('video')].every(one => one.readyState >= 2)");
        await page.ClickAsync("[data-step='1']");
        await page.WaitForFunctionAsync(
            "() => { const [a, b] = document.querySelectorAll('video');"
                + " return a.currentTime > 0 && Math.abs(a.currentTime - b.currentTime) < .05; }"
        );
    }

    [Fact]
    public async Task Failed_SaysWhyAndWhatToDo_AndIsTriedAgain()
    {
        await using var studio = await farm.StudioAsync();
        var id = await studio.SubmitAsync("candles", new { max_attempts = 1 });
        await studio.Worker.TakeAsync(id);
        await studio.Worker.FailAsync(
            id,
            FailureReason.RendererCrashed,
            "it ended with signal 11",
            "the last line\n<script>alert(1)</script>"
        );
        var page = await studio.OpenAsync($"/videos/{id}");

        await Expect(page.Locator("[role=alert]")).ToContainTextAsync("The renderer crashed");
        await Expect(page.Locator("[role=alert]")).ToContainTextAsync("Retry once");
        await page.ClickAsync(".attempt details summary");
        await Expect(page.Locator("pre")).ToContainTextAsync("<script>alert(1)</script>");
        await page.ClickAsync("form[data-act=retry] button");

        await Expect(page.Locator("article")).ToHaveAttributeAsync("data-state", "waiting");
        Assert.Empty(studio.Console);
    }

    [Fact]
    public async Task Keys_MoveSelectAndCancel_WithoutThePointer()
    {
        await using var studio = await farm.StudioAsync();
        var (first, second) = (await studio.SubmitAsync("one"), await studio.SubmitAsync("two"));
        var page = await studio.OpenAsync("/videos");
        await page.WaitForFunctionAsync("() => document.documentElement.dataset.ready");

        await page.Keyboard.PressAsync("j");
        await Expect(page.Locator($"#v-{second}")).ToHaveClassAsync(new Regex(@"\bat\b"));
        await page.Keyboard.PressAsync("x");
        await page.Keyboard.PressAsync("j");
        await page.Keyboard.PressAsync("x");
        await Expect(page.Locator("[data-picked-count]")).ToHaveTextAsync("2 selected");
        await page.Keyboard.PressAsync("c");

        await Expect(page.Locator($"#v-{first}")).ToHaveAttributeAsync("data-state", "cancelled");
        await Expect(page.Locator($"#v-{second}")).ToHaveAttributeAsync("data-state", "cancelled");
        await Expect(page.Locator("[data-undo]")).ToContainTextAsync("Cancelled.");
        await page.ClickAsync("[data-undo] button");
        await Expect(page.Locator($"#v-{first}")).ToHaveAttributeAsync("data-state", "waiting");
        await page.Keyboard.PressAsync("?");
        await Expect(page.Locator("dialog")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("/");
        await Expect(page.Locator("[data-search]")).ToBeFocusedAsync();
    }

    [Fact]
    public async Task Batch_OfSeedsAndLines_IsCountedBeforeItIsSent()
    {
        await using var studio = await farm.StudioAsync();
        var page = await studio.OpenAsync($"/new?model={studio.Model}");
        await page.FillAsync("#f-prompt", "a red door\na blue door");
        await page.ClickAsync("[data-batch] summary");
        await page.CheckAsync("[name=lines]");
        await page.FillAsync("#f-count", "2");
        await Expect(page.Locator("[data-outlook]")).ToContainTextAsync("for 4 videos");

        await page.ClickAsync("[data-send]");

        await page.WaitForURLAsync("**/videos?batch=*");
        var videos = await studio.Http.GetStringAsync("/v1/videos", TestContext.Current.CancellationToken);
        Assert.Equal(2, Regex.Count(videos, "\"prompt\":\"a red door\""));
        Assert.Equal(2, Regex.Count(videos, "\"prompt\":\"a blue door\""));
    }

    [Fact]
    public async Task Refusal_OfTheFarm_StandsAtItsField()
    {
        await using var studio = await farm.StudioAsync();
        var page = await studio.OpenAsync($"/new?model={studio.Model}");
        await page.FillAsync("#f-prompt", "a door");
        await page.ClickAsync("[data-more] summary");
        await page.FillAsync("#f-steps", "900");

        await page.ClickAsync("[data-send]");

        await Expect(page.Locator("#f-steps")).ToHaveAttributeAsync("aria-invalid", "true");
        await Expect(page.Locator("#e-steps")).ToContainTextAsync("steps");
        await Expect(page.Locator("#f-prompt")).ToHaveValueAsync("a door");
    }

    [GeneratedRegex("/videos/video_[0-9a-f]+$")]
    private static partial Regex OneVideo();
}
