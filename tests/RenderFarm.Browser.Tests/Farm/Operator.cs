using System.Text.Json;
using Microsoft.Playwright;
using RenderFarm.Planning.Models;

namespace RenderFarm.Browser.Tests.Farm;

/// <summary>Somebody who runs the farm, at its page, and a machine to run.</summary>
internal sealed class Operator(IBrowserContext browser, ScriptedWorker worker, string rack) : IAsyncDisposable
{
    private static int _racks;
    private readonly List<string> _console = [];

    public ScriptedWorker Worker => worker;

    /// <summary>What its machine is called.</summary>
    public string Rack => rack;

    public IReadOnlyList<string> Console => _console;

    public static async Task<Operator> SignInAsync(PageFarm farm)
    {
        var number = Interlocked.Increment(ref _racks);
        var keys = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(farm.Farm.Home, "keys.json"))).RootElement;
        var worker = await ScriptedWorker.StartAsync(
            new Uri(farm.Farm.Url),
            keys.GetProperty("worker_key").GetString()!,
            $"machine-{number}",
            ModelShapes.T2v1Point3B with { Id = $"operated-{number}" }
        );
        var one = new Operator(await farm.BrowserAsync(), worker, $"machine-{number}");
        var page = await one.OpenAsync("/sign-in");
        await page.FillAsync("#key", await farm.KeyAsync("operator", "admin"));
        await page.ClickAsync("button:has-text('Sign in')");
        await page.WaitForURLAsync("**/videos");
        await page.CloseAsync();
        return one;
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

    /// <summary>Its machine's place on the page.</summary>
    public ILocator RackOn(IPage page) => page.Locator($"section.rack[aria-label='{rack}']");

    public async ValueTask DisposeAsync()
    {
        await browser.DisposeAsync();
        worker.Dispose();
    }
}
