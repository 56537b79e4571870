using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Playwright;
using RenderFarm.Browser.Tests.Farm;
using RenderFarm.Contracts.Leases;
using static Microsoft.Playwright.Assertions;

namespace RenderFarm.Browser.Tests.Pages;

/// <summary>What whoever runs the farm does at its page.</summary>
public sealed class FarmTests(PageFarm farm)
{
    [Fact]
    public async Task Drain_ThenResume_ShowsBoth()
    {
        await using var one = await Operator.SignInAsync(farm);
        var page = await one.OpenAsync("/farm");
        var rack = one.RackOn(page);
        await Expect(rack.Locator("[data-status]")).ToHaveTextAsync("ready");
        await Expect(rack.Locator("[data-slot]")).ToHaveCountAsync(6);
        await Expect(rack).ToContainTextAsync("GeForce RTX 4090");

        await rack.GetByRole(AriaRole.Button, new() { Name = "Drain" }).ClickAsync();
        await Expect(rack.Locator("[data-status]")).ToHaveTextAsync("draining");

        await rack.GetByRole(AriaRole.Button, new() { Name = "Resume" }).ClickAsync();
        await Expect(rack.Locator("[data-status]")).ToHaveTextAsync("ready");
        Assert.Empty(one.Console);
    }

    [Fact]
    public async Task RenameThenRevoke_LeavesTheFarm()
    {
        await using var one = await Operator.SignInAsync(farm);
        var page = await one.OpenAsync("/farm");
        var rack = one.RackOn(page);
        await rack.Locator("summary").ClickAsync();
        await rack.Locator("input[name='name']").FillAsync("Dachboden");
        await rack.GetByRole(AriaRole.Button, new() { Name = "Rename" }).ClickAsync();

        var renamed = page.Locator("section.rack[aria-label='Dachboden']");
        await Expect(renamed).ToBeVisibleAsync();
        await renamed.Locator("summary").ClickAsync();
        await renamed.GetByRole(AriaRole.Button, new() { Name = "Revoke Dachboden" }).ClickAsync();

        await Expect(page.Locator("h1")).ToHaveTextAsync("Farm");
        await Expect(renamed).ToHaveCountAsync(0);
        Assert.Empty(one.Console);
    }

    [Fact]
    public async Task Invite_ShowsTheLineOnce_AndTheInvitationUntilItIsWithdrawn()
    {
        await using var one = await Operator.SignInAsync(farm);
        var page = await one.OpenAsync("/farm");
        var name = "attic-" + Guid.NewGuid().ToString("N")[..8];
        await page.FillAsync("form[action='/farm/invite'] input[name='name']", name);
        await page.SelectOptionAsync("form[action='/farm/invite'] select", "86400");
        await page.GetByRole(AriaRole.Button, new() { Name = "Invite a machine" }).ClickAsync();

        Assert.Matches("^./farm worker --join 'http.*#rfi_.*'$", await page.TextContentAsync("[data-once]"));

        await Expect(page.Locator("main .warning")).ToContainTextAsync("127.0.0.1 leads to this machine alone");
        await page.GetByRole(AriaRole.Link, new() { Name = "To the farm" }).ClickAsync();
        var invitation = page.Locator(".rows li", new() { HasText = name });
        await Expect(invitation).ToBeVisibleAsync();
        await Expect(page.Locator("body")).Not.ToContainTextAsync("rfi_");
        await invitation.GetByRole(AriaRole.Button, new() { Name = "Withdraw" }).ClickAsync();
        await Expect(invitation).ToHaveCountAsync(0);
        Assert.Empty(one.Console);
    }

    [Fact]
    public async Task Cards_AVideoIsTakenAndEnds_ShowItWithoutAReload()
    {
        await using var studio = await farm.StudioAsync(name: "artist at the farm");
        await using var one = await Operator.SignInAsync(farm);
        var page = await one.OpenAsync("/farm");
        var id = await studio.SubmitAsync("A kite over the dunes");
        await studio.Worker.TakeAsync(id);
        await studio.Worker.RenewAsync(id, 7);

        var work = page.Locator($"a[href='/videos/{id}']");
        await Expect(work).ToBeVisibleAsync();
        await Expect(page.Locator(".slot", new() { Has = work })).ToContainTextAsync("7/");

        await studio.Worker.CompleteAsync(id, (await farm.FilmsAsync())[0]);
        await Expect(work).ToHaveCountAsync(0);
        Assert.Empty(one.Console);
    }

    [Fact]
    public async Task Cards_OfAWorkerThatStoppedInOrder_SayThatItHas()
    {
        await using var one = await Operator.SignInAsync(farm);
        await one.Worker.GoodbyeAsync();

        var page = await one.OpenAsync("/farm");

        await Expect(one.RackOn(page).Locator("[data-status]")).ToHaveTextAsync("stopped");
        Assert.Empty(one.Console);
    }

    [Fact]
    public async Task Cards_ToWhoeverOnlyMakesVideos_ShowNothingToRun()
    {
        await using var studio = await farm.StudioAsync(name: "looks only");
        var page = await studio.OpenAsync("/farm");

        await Expect(page.Locator("section.rack").First).ToBeVisibleAsync();
        await Expect(page.Locator("form[action^='/farm']")).ToHaveCountAsync(0);
        var keys = await page.GotoAsync("/farm/keys");
        Assert.Equal(403, keys!.Status);
        await Expect(page.Locator("[data-refusal='missing_scope']")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Keys_MadeAtThePage_WorkUntilTheyAreRevoked()
    {
        await using var one = await Operator.SignInAsync(farm);
        var page = await one.OpenAsync("/farm/keys");
        var name = "studio-" + Guid.NewGuid().ToString("N")[..8];
        await page.FillAsync("#k-name", name);
        await page.FillAsync("#k-queued", "many");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a key" }).ClickAsync();
        await Expect(FaultAt(page, "#k-queued")).ToContainTextAsync("'quotas.queued'");
        await Expect(page.Locator("#k-name")).ToHaveValueAsync(name);

        await page.FillAsync("#k-queued", "200");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a key" }).ClickAsync();
        var secret = (await page.TextContentAsync("[data-once]"))!;
        Assert.Equal(200, await StatusAsync(secret));

        await page.GotoAsync("/farm/keys");
        var row = page.Locator("tr", new() { HasText = name });
        await Expect(row).ToContainTextAsync("0 of 200");
        await row.GetByRole(AriaRole.Link).ClickAsync();
        await page.Locator("details summary", new() { HasText = "Revoke" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke " + name }).ClickAsync();

        await Expect(page.Locator("h1")).ToHaveTextAsync("Keys");
        await Expect(row).ToHaveCountAsync(0);
        Assert.Equal(401, await StatusAsync(secret));
    }

    [Fact]
    public async Task Key_OneFieldIsChanged_LeavesTheOthersToTheSecond()
    {
        await using var one = await Operator.SignInAsync(farm);
        var name = "evening-" + Guid.NewGuid().ToString("N")[..8];
        var end = TimeProvider.System.GetUtcNow().AddDays(40).ToUnixTimeSeconds();
        using var made = await farm.Farm.Http.PostAsJsonAsync(
            "/v1/keys",
            new { name, expires_at = end, quotas = new { queued = 7 } },
            TestContext.Current.CancellationToken
        );
        var id = (await made.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString();
        var page = await one.OpenAsync($"/farm/keys/{id}");
        await page.FillAsync("#k-running", "2");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.Locator("h1")).ToHaveTextAsync("Keys");

        var key = await farm.Farm.Http.GetFromJsonAsync<JsonElement>($"/v1/keys/{id}", TestContext.Current.CancellationToken);
        Assert.Equal(end, key.GetProperty("expires_at").GetInt64());
        Assert.Equal(7, key.GetProperty("quotas").GetProperty("queued").GetInt32());
        Assert.Equal(2, key.GetProperty("quotas").GetProperty("running").GetInt32());
    }

    [Fact]
    public async Task Alerts_ThatFire_StandAboveTheCards_TheGravestFirst()
    {
        await using var one = await Operator.SignInAsync(farm);
        var page = await one.OpenAsync("/farm");
        var alerts = page.Locator("[data-alerts] li");

        await Expect(alerts).ToHaveCountAsync(2);
        await Expect(alerts.First).ToContainTextAsync("The job store does not answer");
        await Expect(alerts.First.GetByRole(AriaRole.Link, new() { Name = "what to do" }))
            .ToHaveAttributeAsync("href", "https://example.org/runbooks/store-down.md");
        await Expect(alerts.Last).ToContainTextAsync("The oldest has waited 71 min.");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Grafana" }))
            .ToHaveAttributeAsync("href", "https://grafana.example.org/");
        Assert.Empty(one.Console);
    }

    [Fact]
    public async Task Queue_AModelIsPaused_ShowsItAndHoldsItBack()
    {
        await using var studio = await farm.StudioAsync(name: "artist who waits");
        await using var one = await Operator.SignInAsync(farm);
        var id = await studio.SubmitAsync("Rain on a tin roof");
        var page = await one.OpenAsync("/farm");
        var lane = page.Locator(".queue tr", new() { HasText = studio.Model });
        await lane.GetByRole(AriaRole.Button).ClickAsync();

        var pause = page.Locator(".paused", new() { HasText = studio.Model });
        await Expect(pause).ToBeVisibleAsync();
        await Expect(lane.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);

        await pause.GetByRole(AriaRole.Button, new() { Name = "Go on" }).ClickAsync();
        await Expect(pause).ToHaveCountAsync(0);
        await studio.Worker.TakeAsync(id);
        Assert.Empty(one.Console);
    }

    [Fact]
    public async Task Key_IsChangedAndGivenAnotherSecret_WhileTheOldOneWorksOn()
    {
        await using var one = await Operator.SignInAsync(farm);
        var name = "team-" + Guid.NewGuid().ToString("N")[..8];
        var old = await farm.KeyAsync(name);
        var page = await one.OpenAsync("/farm/keys");
        var row = page.Locator("tr", new() { HasText = name });
        await row.GetByRole(AriaRole.Link).ClickAsync();
        await page.FillAsync("#k-running", "3");
        await page.FillAsync("#k-class", "Night Shift");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(FaultAt(page, "#k-class")).ToContainTextAsync("'class'");

        await page.FillAsync("#k-class", "night");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(row).ToContainTextAsync("night");
        await Expect(row).ToContainTextAsync("0 of 3");

        await row.GetByRole(AriaRole.Link).ClickAsync();
        await page.FillAsync("#k-running", "");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(row).Not.ToContainTextAsync("0 of 3");

        await row.GetByRole(AriaRole.Link).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Make another secret" }).ClickAsync();
        var secret = (await page.TextContentAsync("[data-once]"))!;
        Assert.NotEqual(old, secret);
        Assert.Equal((200, 200), (await StatusAsync(old), await StatusAsync(secret)));
    }

    [Fact]
    public async Task Batch_WithAFailure_SaysWhyAndRetriesIt()
    {
        await using var studio = await farm.StudioAsync(name: "artist of many");
        using var made = await studio.Http.PostAsJsonAsync(
            "/v1/batches",
            new
            {
                @base = new { model = studio.Model, max_attempts = 1 },
                matrix = new { prompt = new[] { "Dunes at noon", "Dunes at night" } },
            },
            TestContext.Current.CancellationToken
        );
        var text = await made.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(made.IsSuccessStatusCode, text);
        var batch = JsonDocument.Parse(text).RootElement.GetProperty("id").GetString()!;
        var list = await studio.Http.GetFromJsonAsync<JsonElement>($"/v1/batches/{batch}/videos", TestContext.Current.CancellationToken);
        var first = list.GetProperty("data")[0].GetProperty("id").GetString()!;
        await studio.Worker.TakeAsync(first);
        await studio.Worker.FailAsync(first, FailureReason.EncoderFailed, "no space left on the scratch disk", "");

        var page = await studio.OpenAsync("/farm/batches");
        var shown = page.Locator($"[data-batch='{batch}']");
        await Expect(shown).ToContainTextAsync("1 × The MP4 could not be written");
        await Expect(shown).ToContainTextAsync("no space left on the scratch disk");
        await shown.GetByRole(AriaRole.Button, new() { Name = "Retry these (1)" }).ClickAsync();

        await Expect(page.GetByText("1 of 1 wait again.")).ToBeVisibleAsync();
        await Expect(shown.Locator(".reasons")).ToHaveCountAsync(0);
        Assert.Empty(studio.Console);
    }

    /// <summary>What the farm says of a field.</summary>
    private static ILocator FaultAt(IPage page, string field) =>
        page.Locator(".field", new() { Has = page.Locator(field) }).Locator(".fault");

    private async Task<int> StatusAsync(string secret)
    {
        using var http = new HttpClient { BaseAddress = new Uri(farm.Farm.Url) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", secret);
        using var answer = await http.GetAsync("/v1/videos", TestContext.Current.CancellationToken);
        return (int)answer.StatusCode;
    }

    [Fact]
    public async Task Pages_InEveryLook_AreFreeOfSeriousFindings()
    {
        await using var studio = await farm.StudioAsync(name: "artist in pictures");
        await using var one = await Operator.SignInAsync(farm);
        var running = await studio.SubmitAsync("A glass of water on a moving train, the countryside goes by in the window behind it");
        await studio.Worker.TakeAsync(running);
        await studio.Worker.RenewAsync(running, 12);
        await studio.SubmitAsync("An old bicycle against a blue wall, noon, shadows move");
        await farm.KeyAsync("somebody with a long name at the other end of the corridor");
        using var known = await farm.Farm.Http.GetAsync("/v1/keys", TestContext.Current.CancellationToken);
        var id = JsonDocument
            .Parse(await known.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))
            .RootElement.GetProperty("data")
            .EnumerateArray()
            .Last()
            .GetProperty("id")
            .GetString();

        var page = await one.OpenAsync("/farm");
        var findings = await EveryLook.FindingsAsync(
            page,
            [
                ("farm", "/farm"),
                ("farm-keys", "/farm/keys"),
                ("farm-key", $"/farm/keys/{id}"),
                ("farm-batches", "/farm/batches"),
                ("farm-store", "/farm/store"),
                ("farm-settings", "/farm/settings"),
            ]
        );
        Assert.True(findings.Count == 0, string.Join(Environment.NewLine, findings));
        Assert.Empty(one.Console);
    }
}
