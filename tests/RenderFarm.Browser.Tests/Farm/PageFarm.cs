using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using RenderFarm.Browser.Tests.Farm;
using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;
using RenderFarm.Testing.Farms;

[assembly: AssemblyFixture(typeof(PageFarm))]

namespace RenderFarm.Browser.Tests.Farm;

/// <summary>One API process and one Chromium for all tests, each of which has a key and a model of its own.</summary>
public sealed class PageFarm : IAsyncLifetime
{
    /// <summary>
    /// How long a browser is waited for, in milliseconds. Only a failure takes so long; two busy cores have kept a page waiting for
    /// over 15 s.
    /// </summary>
    private const int Patience = 60_000;

    private static readonly string[] Programs = ["chromium", "chromium-browser", "google-chrome"];
    private readonly Lock _gate = new();
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private AlertmanagerStandIn? _alertmanager;
    private int _models;
    private Task<Film[]>? _films;

    public FarmUnderTest Farm { get; private set; } = null!;

    /// <summary>Where pictures of pages are put, to be looked at.</summary>
    public static string Pictures { get; } =
        Directory
            .CreateDirectory(
                Environment.GetEnvironmentVariable("RENDERFARM_TEST_PICTURES") ?? Path.Combine(AppContext.BaseDirectory, "pictures")
            )
            .FullName;

    public async ValueTask InitializeAsync()
    {
        _alertmanager = await AlertmanagerStandIn.StartAsync();
        Farm = await FarmUnderTest.StartAsync(
            new FarmSetup
            {
                More = new Dictionary<string, string>
                {
                    ["Dashboard__AlertmanagerUrl"] = _alertmanager.Url,
                    ["Dashboard__GrafanaUrl"] = "https://grafana.example.org",
                },
            },
            workers: 0
        );
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
        await Farm.DisposeAsync();
        await _alertmanager!.DisposeAsync();
    }

    static PageFarm() => Assertions.SetDefaultExpectTimeout(Patience);

    /// <summary>A browser's own cookies and storage; skips where there is no Chromium.</summary>
    public async Task<IBrowserContext> BrowserAsync(BrowserNewContextOptions? options = null)
    {
        options ??= new();
        options.BaseURL = Farm.Url;
        options.ReducedMotion ??= ReducedMotion.Reduce;
        options.TimezoneId ??= "Europe/Berlin";
        var context = await (await ChromiumAsync()).NewContextAsync(options);
        context.SetDefaultTimeout(Patience);
        return context;
    }

    /// <summary>A key of its own, whose videos nobody else sees.</summary>
    public async Task<string> KeyAsync(string name, params string[] scopes)
    {
        using var answer = await Farm.Http.PostAsJsonAsync(
            "/v1/keys",
            new { name, scopes = scopes.Length > 0 ? scopes : ["submit", "read"] }
        );
        return (string)(await answer.Content.ReadFromJsonAsync<JsonObject>())!["key"]!;
    }

    /// <summary>Somebody at the page, and a worker for them alone.</summary>
    internal async Task<Studio> StudioAsync(BrowserNewContextOptions? options = null, string name = "artist", ModelShape? shape = null)
    {
        var key = await KeyAsync(name);
        shape ??= ModelShapes.T2v1Point3B;
        var model = shape with { Id = $"{shape.Id}-{Interlocked.Increment(ref _models)}" };
        var keys = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Farm.Home, "keys.json"))).RootElement;
        var worker = await ScriptedWorker.StartAsync(
            new Uri(Farm.Url),
            keys.GetProperty("worker_key").GetString()!,
            $"rack-{_models}",
            model
        );
        var http = new HttpClient { BaseAddress = new Uri(Farm.Url) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        var studio = new Studio(this, await BrowserAsync(options), key, model.Id, worker, http);
        await studio.SignInAsync();
        return studio;
    }

    /// <summary>Made once: three that look different.</summary>
    internal Task<Film[]> FilmsAsync()
    {
        lock (_gate)
        {
            return _films ??= Task.WhenAll(
                Film.MakeAsync("gradients=s=832x480:r=16:c0=0x1b3a6b:c1=0xe07a3f:c2=0x2d8f85:speed=0.05:seed=3"),
                Film.MakeAsync("gradients=s=832x480:r=16:c0=0x40204f:c1=0xd0587e:c2=0xf2c14e:speed=0.05:seed=5:type=radial"),
                Film.MakeAsync("testsrc2=s=832x480:r=16")
            );
        }
    }

    private async Task<IBrowser> ChromiumAsync()
    {
        if (_browser is not null)
        {
            return _browser;
        }

        var program = Programs
            .SelectMany(name =>
                (Environment.GetEnvironmentVariable("PATH") ?? "")
                    .Split(':', StringSplitOptions.RemoveEmptyEntries)
                    .Select(folder => Path.Combine(folder, name))
            )
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, "no Chromium: run ./farm test, or apt-get install chromium");
        _playwright = await Playwright.CreateAsync();
        return _browser = await _playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = program,
                // A container has no place for its sandbox, and the pages are our own.
                Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
            }
        );
    }
}
