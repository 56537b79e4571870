using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;

namespace RenderFarm.Testing.Farms;

/// <summary>
/// A whole farm out of real processes: an API, and as many workers as a story needs. What a story waits for it waits for
/// with a deadline, and when the deadline passes the failure tells what every process said last.
/// </summary>
public sealed class FarmUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private readonly TemporaryFolder _home = new();
    private readonly Dictionary<string, string> _settings;
    private readonly Dictionary<string, string> _workerSettings;
    private readonly List<FarmProcess> _processes = [];
    private readonly List<string> _hosts = [];

    private FarmUnderTest(FarmSetup setup)
    {
        _settings = setup.ApiSettings(_home.Path);
        _workerSettings = setup.WorkerSettings(_home.Path);
        Url = $"http://127.0.0.1:{FreePort()}";
        Http = new HttpClient { BaseAddress = new Uri(Url) };
    }

    public string Url { get; }

    /// <summary>Carries the admin key.</summary>
    public HttpClient Http { get; }
    public FarmProcess Api { get; private set; } = null!;
    public string Home => _home.Path;

    /// <param name="workers">How many workers to start at once, named <c>worker-1</c> and so on.</param>
    public static async Task<FarmUnderTest> StartAsync(FarmSetup setup, int workers = 1)
    {
        var farm = new FarmUnderTest(setup);
        try
        {
            await farm.StartApiAsync();
            for (var i = 1; i <= workers; i++)
            {
                await farm.StartWorkerAsync($"worker-{i}");
            }

            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    public async Task StartApiAsync()
    {
        Api = Start("api", BuiltPrograms.Api, new(_settings) { ["Api__Url"] = Url });
        await UntilAnswersAsync(Api, $"{Url}/health/ready");
        var keys = JsonDocument.Parse(await File.ReadAllTextAsync(_settings["Keys__BootstrapFile"])).RootElement;
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", keys.GetProperty("admin_key").GetString());
    }

    /// <summary>One more API on the same servers.</summary>
    /// <returns>Where it answers.</returns>
    public async Task<Uri> StartAnotherApiAsync()
    {
        var url = $"http://127.0.0.1:{FreePort()}";
        await UntilAnswersAsync(Start("api-2", BuiltPrograms.Api, new(_settings) { ["Api__Url"] = url }), $"{url}/health/ready");
        return new Uri(url);
    }

    /// <summary>One more that is known by a certificate.</summary>
    /// <param name="certificate">A PEM file, as is the key's.</param>
    /// <param name="key">What belongs to it.</param>
    /// <returns>Where its figures are, without TLS.</returns>
    public async Task<Uri> StartApiWithTlsAsync(string certificate, string key)
    {
        var metrics = $"http://127.0.0.1:{FreePort()}";
        var settings = new Dictionary<string, string>(_settings)
        {
            ["Api__Url"] = $"https://127.0.0.1:{FreePort()}",
            ["Api__Tls__Certificate"] = certificate,
            ["Api__Tls__Key"] = key,
            ["Metrics__Url"] = metrics,
        };
        await UntilAnswersAsync(Start("api-tls", BuiltPrograms.Api, settings), $"{metrics}/metrics");
        return new Uri(metrics);
    }

    /// <summary>Resolves when the worker answers and its models are known to the API.</summary>
    /// <param name="name">Of the worker.</param>
    /// <param name="more">Settings of its own, over those of the farm.</param>
    public async Task<FarmProcess> StartWorkerAsync(string name, IReadOnlyDictionary<string, string>? more = null)
    {
        var worker = await LaunchWorkerAsync(name, more);
        await UntilAnswersAsync(worker, MetricsUrls[name]);
        await EventuallyAsync(
            async () => (await Http.GetStringAsync("/v1/models")).Contains(_settings["Videos__DefaultModel"], StringComparison.Ordinal),
            within: StartTime,
            $"{name} to register its models"
        );
        return worker;
    }

    /// <summary>Starts it and waits for nothing.</summary>
    public async Task<FarmProcess> LaunchWorkerAsync(string name, IReadOnlyDictionary<string, string>? more = null)
    {
        var metrics = $"http://127.0.0.1:{FreePort()}";
        MetricsUrls[name] = $"{metrics}/metrics";
        var settings = new Dictionary<string, string>(_workerSettings)
        {
            ["Worker__ApiUrl"] = Url,
            ["Worker__Name"] = name,
            ["Worker__Slots"] = _settings.GetValueOrDefault("Worker__Slots", "cpu"),
            ["Worker__WeightCacheDirectory"] = _settings.GetValueOrDefault("Worker__WeightCacheDirectory", Path.Combine(Home, "weights")),
            ["Worker__DataDirectory"] = Path.Combine(Home, name),
            ["Worker__RendererPath"] = BuiltPrograms.Renderer,
            ["Models__Directory"] = _settings.GetValueOrDefault("Models__Directory") ?? await TestModels.FolderAsync(),
            ["Metrics__Url"] = metrics,
        };
        foreach (var (key, value) in more ?? new Dictionary<string, string>())
        {
            settings[key] = value;
        }

        return Start(name, BuiltPrograms.Worker, settings);
    }

    /// <summary>
    /// A host of its own, with a loopback address of its own: it is given an invitation, its models and where it keeps things, and nothing
    /// else of this farm. Resolves when it takes jobs.
    /// </summary>
    /// <param name="name">Of the worker.</param>
    /// <param name="join">What the farm said to whoever invited it; null for one that has joined before.</param>
    /// <param name="ffmpeg">The encoder, where it is not the usual one.</param>
    public async Task<FarmProcess> StartHostAsync(string name, string? join, string? ffmpeg = null)
    {
        if (!_hosts.Contains(name))
        {
            _hosts.Add(name);
        }

        var metrics = $"http://127.0.0.{2 + _hosts.IndexOf(name)}:{FreePort()}";
        MetricsUrls[name] = $"{metrics}/metrics";
        var settings = new Dictionary<string, string>
        {
            ["RENDERFARM_HOME"] = HostHome(name),
            ["Worker__Name"] = name,
            ["Worker__Slots"] = "cpu",
            ["Worker__WeightCacheDirectory"] = Path.Combine(HostHome(name), "weights"),
            ["Worker__DataDirectory"] = Path.Combine(HostHome(name), "worker"),
            ["Worker__RendererPath"] = BuiltPrograms.Renderer,
            ["Models__Directory"] = await TestModels.FolderAsync(),
            ["Metrics__Url"] = metrics,
        };
        if (join is not null)
        {
            settings["RENDERFARM_JOIN"] = join;
        }

        if (ffmpeg is not null)
        {
            settings["Worker__FfmpegPath"] = ffmpeg;
        }

        var host = FarmProcess.Start(name, BuiltPrograms.Worker, [], settings, Path.Combine(Home, $"{name}.log"), alone: true);
        _processes.Add(host);
        await UntilAnswersAsync(host, $"{metrics}/health/ready");
        return host;
    }

    /// <summary>All that a host of <see cref="StartHostAsync"/> keeps on its disk.</summary>
    public string HostHome(string name) => Path.Combine(Home, "hosts", name);

    /// <summary>Where each worker shows its metrics, by its name.</summary>
    public Dictionary<string, string> MetricsUrls { get; } = [];

    /// <returns>The video as created.</returns>
    public async Task<JsonElement> SubmitAsync(object request)
    {
        using var answer = await Http.PostAsJsonAsync("/v1/videos", request);
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(
            answer.StatusCode == HttpStatusCode.OK,
            $"submit answered {(int)answer.StatusCode}: {body}{Environment.NewLine}{LastWords()}"
        );
        return JsonDocument.Parse(body).RootElement;
    }

    public async Task<JsonElement> GetAsync(string path) => JsonDocument.Parse(await Http.GetStringAsync(path)).RootElement;

    public Task<JsonElement> VideoAsync(string id) => GetAsync($"/v1/videos/{id}");

    public async Task<HttpResponseMessage> PostAsync(string path, HttpContent? content = null) =>
        await Http.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken);

    /// <summary>One record for each lease, first to last.</summary>
    public async Task<IReadOnlyList<JsonElement>> AttemptsAsync(string id) =>
        [
            .. (await GetAsync($"/v1/videos/{id}/attempts"))
                .GetProperty("data")
                .EnumerateArray()
                .OrderBy(attempt => attempt.GetProperty("fence").GetInt64()),
        ];

    /// <summary>Until the video is completed or has failed.</summary>
    public async Task<JsonElement> FinishedAsync(string id, TimeSpan within)
    {
        var video = default(JsonElement);
        await EventuallyAsync(
            async () => (video = await VideoAsync(id)).GetProperty("status").GetString() is "completed" or "failed",
            within,
            $"video {id} to finish",
            () => video.ToString()
        );
        return video;
    }

    /// <summary>Until the video is completed; its end as a failure fails the test with the video's error.</summary>
    public async Task<JsonElement> CompletedAsync(string id, TimeSpan within)
    {
        var video = await FinishedAsync(id, within);
        Assert.True(video.GetProperty("status").GetString() == "completed", $"{video}{Environment.NewLine}{LastWords()}");
        return video;
    }

    /// <summary>Until the denoising has begun and at least one step is done.</summary>
    public async Task<JsonElement> DenoisingAsync(string id, TimeSpan within)
    {
        var video = default(JsonElement);
        await EventuallyAsync(
            async () =>
                (video = await VideoAsync(id)).GetProperty("stage").GetString() == "denoising" && video.GetProperty("step").GetInt32() > 0,
            within,
            $"video {id} to be denoised",
            () => video.ToString()
        );
        return video;
    }

    public async Task EventuallyAsync(Func<Task<bool>> condition, TimeSpan within, string what, Func<string>? seen = null)
    {
        try
        {
            await Eventually.TrueAsync(condition, within, what, TestContext.Current.CancellationToken);
        }
        catch (TimeoutException error)
        {
            Assert.Fail($"{error.Message}{Environment.NewLine}{seen?.Invoke()}{Environment.NewLine}{LastWords()}");
        }
    }

    public string LastWords() => string.Join(Environment.NewLine, _processes.Select(process => process.LastWords()));

    public async ValueTask DisposeAsync()
    {
        // Workers before the API: the other way round they would spend their last seconds calling it.
        foreach (var process in Enumerable.Reverse(_processes))
        {
            await process.DisposeAsync();
        }

        Http.Dispose();
        _home.Dispose();
    }

    private FarmProcess Start(string name, string program, Dictionary<string, string> settings)
    {
        var process = FarmProcess.Start(name, program, [], settings, Path.Combine(Home, $"{name}.log"));
        _processes.Add(process);
        return process;
    }

    private async Task UntilAnswersAsync(FarmProcess process, string url) =>
        await EventuallyAsync(
            async () =>
            {
                Assert.False(process.HasExited, process.LastWords());
                try
                {
                    using var answer = await Http.GetAsync(new Uri(url));
                    return answer.IsSuccessStatusCode;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            StartTime,
            $"{process.Name} to answer at {url}"
        );

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
