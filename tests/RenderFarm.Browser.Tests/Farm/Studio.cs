using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;

namespace RenderFarm.Browser.Tests.Farm;

/// <summary>Somebody who is signed in, with a worker that does as the test says.</summary>
internal sealed class Studio(PageFarm farm, IBrowserContext browser, string key, string model, ScriptedWorker worker, HttpClient http)
    : IAsyncDisposable
{
    private readonly List<string> _console = [];

    public IBrowserContext Browser => browser;
    public string Key => key;
    public string Model => model;
    public ScriptedWorker Worker => worker;

    /// <summary>The same key, without a browser.</summary>
    public HttpClient Http => http;

    /// <summary>What pages complained of: a rule of the policy that was broken, a script that failed.</summary>
    public IReadOnlyList<string> Console => _console;

    public async Task SignInAsync()
    {
        var page = await OpenAsync("/sign-in");
        await page.FillAsync("#key", key);
        await page.ClickAsync("button:has-text('Sign in')");
        await page.WaitForURLAsync("**/videos");
        await page.CloseAsync();
    }

    public async Task<IPage> OpenAsync(string path)
    {
        var page = await browser.NewPageAsync();
        page.Console += (_, message) =>
        {
            if (message.Type == "error")
            {
                _console.Add(message.Text);
            }
        };
        page.PageError += (_, error) => _console.Add(error);
        await page.GotoAsync(path);
        return page;
    }

    public async Task<string> SubmitAsync(string prompt, object? more = null)
    {
        var body = System.Text.Json.JsonSerializer.SerializeToNode(more ?? new { })!.AsObject();
        (body["prompt"], body["model"]) = (prompt, model);
        using var answer = await http.PostAsJsonAsync("/v1/videos", body);
        var video = await answer.Content.ReadFromJsonAsync<JsonObject>();
        Assert.True(answer.IsSuccessStatusCode, video?.ToJsonString());
        return (string)video!["id"]!;
    }

    /// <returns>The batch's id.</returns>
    public async Task<string> BatchAsync(string prompt, int seeds)
    {
        using var answer = await http.PostAsJsonAsync(
            "/v1/batches",
            new { matrix = new { seed = Enumerable.Range(1, seeds) }, @base = new { prompt, model } }
        );
        var batch = await answer.Content.ReadFromJsonAsync<JsonObject>();
        Assert.True(answer.IsSuccessStatusCode, batch?.ToJsonString());
        return (string)batch!["id"]!;
    }

    /// <summary>Submitted, rendered, stored.</summary>
    public async Task<string> FinishedAsync(string prompt, int film = 0, object? more = null)
    {
        var id = await SubmitAsync(prompt, more);
        await worker.TakeAsync(id);
        await worker.CompleteAsync(id, (await farm.FilmsAsync())[film]);
        return id;
    }

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        worker.Dispose();
        http.Dispose();
    }
}
