using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Folders;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using RenderFarm.Worker.Hosting;
using RenderFarm.Worker.Stopping;

namespace RenderFarm.Worker.Tests.Farm;

/// <summary>A whole worker in this process, against a <see cref="LeaseDesk"/>, with folders of its own.</summary>
internal sealed class WorkerUnderTest : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Dictionary<string, string?> _settings;
    private WebApplication? _app;
    private Task _running = Task.CompletedTask;

    private WorkerUnderTest(LeaseDesk desk)
    {
        Desk = desk;
        _settings = new()
        {
            ["Worker:ApiUrl"] = desk.Url,
            ["Worker:ApiKey"] = LeaseDesk.Key,
            ["Worker:Name"] = "worker-under-test",
            ["Worker:Slots"] = "cpu",
            ["Worker:DataDirectory"] = Path.Combine(_folder.Path, "worker"),
            ["Worker:MinimumFreeDiskMegabytes"] = "0",
            ["Worker:LeaseWaitSeconds"] = "5",
            ["Worker:Calibrate"] = "false",
            ["Worker:Standby"] = "false",
            ["Worker:CalibrationDirectory"] = Path.Combine(_folder.Path, "calibration"),
            ["Worker:WeightCacheDirectory"] = Path.Combine(_folder.Path, "weights"),
            ["Models:Directory"] = Path.Combine(_folder.Path, "models"),
            ["Metrics:Url"] = "http://127.0.0.1:0",
        };
        ModelOnDisk.WriteManifest(Path.Combine(_settings["Models:Directory"]!, "tiny"), ModelShapes.Tiny);
    }

    public LeaseDesk Desk { get; }

    /// <summary>What this worker is told of free space.</summary>
    public FreeSpace Disks { get; set; } = FreeSpace.OfDisks;

    public string Folder => _folder.Path;
    public string DataDirectory => _settings["Worker:DataDirectory"]!;
    public IServiceProvider Services => _app!.Services;
    public IReadOnlyDictionary<string, string?> Settings => _settings;
    public StoreDesk Store => Desk.Store;

    /// <summary>A small video of the tiny model.</summary>
    public static RenderSpec Spec =>
        new()
        {
            Model = ModelShapes.Tiny.Id,
            Prompt = "a red ball rolls; to = the \"right\" #1 \\ ends\nhere",
            Width = 32,
            Height = 32,
            Frames = 5,
            Fps = 8,
            Steps = 2,
            GuidanceScale = 1,
            Shift = 3,
            Seed = 42,
        };

    public static async Task<WorkerUnderTest> CreateAsync(string renderer, LeaseSettings? lease = null)
    {
        var worker = new WorkerUnderTest(await LeaseDesk.OpenAsync(lease));
        worker.Set("Worker:RendererPath", StubRenderer.Write(worker.Folder, renderer));
        return worker;
    }

    public void Set(string key, string? value) => _settings[key] = value;

    public async Task StartAsync()
    {
        _app = WorkerApplication.Build(
            [],
            builder =>
            {
                builder.Configuration.AddInMemoryCollection(_settings);
                builder.Services.AddSingleton(Disks);
                builder.Services.AddSingleton(FakePyTorch.Search(_folder.Path));
                builder
                    .Logging.ClearProviders()
                    .AddProvider(new TestOutputLogger())
                    .SetMinimumLevel(LogLevel.Debug)
                    .AddFilter("Microsoft", LogLevel.Warning);
            }
        );
        await _app.StartAsync();
        _running = _app.Services.GetRequiredService<FarmWorker>().RunAsync();
    }

    public void RequestDrain() => Services.GetRequiredService<WorkerDrain>().Request();

    /// <summary>Completes when the worker has drained; fails as it would.</summary>
    public Task EndAsync() => _running.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

    public Task<string> MetricsAsync() => GetAsync("/metrics");

    public async Task<string> GetAsync(string path)
    {
        using var http = new HttpClient();
        return await http.GetStringAsync(_app!.Urls.First() + path, TestContext.Current.CancellationToken);
    }

    /// <summary>Stops at once, as a deployment would with two signals, and waits.</summary>
    public async Task StopAsync()
    {
        if (_app is null)
        {
            return;
        }

        RequestDrain();
        RequestDrain();
        await _running.WaitAsync(TimeSpan.FromSeconds(60)).ContinueWith(_ => { }, TaskScheduler.Default);
        await _app.StopAsync();
        await _app.DisposeAsync();
        _app = null;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Desk.DisposeAsync();
        _folder.Dispose();
    }
}
