using Microsoft.Extensions.Options;
using RenderFarm.Broker;
using RenderFarm.Contracts.Checks;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;
using RenderFarm.Planning;
using RenderFarm.Worker.Calibration;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Hosting;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Doctor;

/// <summary><c>doctor</c>: what a worker with these settings would find on this host. Changes nothing.</summary>
internal static class WorkerDoctor
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async IAsyncEnumerable<HostCheck> LookAsync(string[] settings)
    {
        await using var app = WorkerApplication.Build(settings, builder => builder.Logging.ClearProviders());
        var options = app.Services.GetRequiredService<IOptions<WorkerOptions>>().Value;
        var discovery = app.Services.GetRequiredService<SlotDiscovery>();
        var catalog = app.Services.GetRequiredService<ModelCatalog>();
        _ = await catalog.ScanAsync(CancellationToken.None);
        await foreach (var check in CardChecks.LookAsync(discovery, app.Services.GetRequiredService<SlotCalibration>()))
        {
            yield return check;
        }

        var disks = app.Services.GetRequiredService<FreeSpace>();
        var cache = app.Services.GetRequiredService<HostWeightCache>();
        foreach (var check in MemoryChecks.Of(discovery, catalog, cache, disks, options))
        {
            yield return check;
        }

        yield return await EncoderAsync(app.Services.GetRequiredService<EncoderTrial>(), options);
        yield return Disk(options, disks);
        yield return await ApiAsync(options);
        yield return await BrokerCheck.LookAsync(app.Services.GetRequiredService<IOptions<BusOptions>>().Value);
    }

    private static async Task<HostCheck> EncoderAsync(EncoderTrial trial, WorkerOptions options)
    {
        const string Subject = "ffmpeg";
        if (ProgramPath.Find(options.FfmpegPath) is null)
        {
            return HostCheck.Lacks(Subject, FfmpegFault.Missing(options.FfmpegPath).Message, FfmpegFault.Repair);
        }

        var result = await trial.RunAsync(CancellationToken.None);
        if (result.Refusal is { } refusal)
        {
            return HostCheck.Lacks(Subject, $"{options.FfmpegPath} can't write a video as jobs need it: {refusal}", FfmpegFault.Repair);
        }

        return result.MissingPictures.Count > 0
            ? HostCheck.Without(
                Subject,
                $"{options.FfmpegPath} writes H.264; {string.Join("; ", result.MissingPictures)}",
                FfmpegFault.Repair
            )
            : HostCheck.Ok(Subject, $"{options.FfmpegPath} wrote one black second in H.264, and its pictures, as for a job");
    }

    private static HostCheck Disk(WorkerOptions options, FreeSpace disks)
    {
        var (free, needed) = (disks.BytesFor(options.DataDirectory), (long)(options.MinimumFreeDiskMegabytes * 1e6));
        var finding = $"{Names.Gib(free)} free for {options.DataDirectory}";
        return free >= needed
            ? HostCheck.Ok("worker disk", finding)
            : HostCheck.Lacks(
                "worker disk",
                $"{finding}, {Names.Gib(needed)} are needed for new jobs (Worker:MinimumFreeDiskMegabytes)",
                "free some, or set Worker:DataDirectory to a folder with more"
            );
    }

    private static async Task<HostCheck> ApiAsync(WorkerOptions options)
    {
        using var handler = new SocketsHttpHandler { SslOptions = options.TlsToApi() };
        using var http = new HttpClient(handler) { Timeout = Patience };
        try
        {
            using var answer = await http.GetAsync(new Uri(options.ApiUrl.TrimEnd('/') + "/health/ready"));
            return answer.IsSuccessStatusCode
                ? HostCheck.Ok("api", $"{options.ApiUrl} is ready")
                : HostCheck.Lacks(
                    "api",
                    $"{options.ApiUrl} answers {(int)answer.StatusCode}: it is up and not ready",
                    "look at its log: most often its database is away"
                );
        }
        catch (Exception fault) when (fault is HttpRequestException or TaskCanceledException)
        {
            return HostCheck.Without("api", $"nothing answers at {options.ApiUrl}", "./farm up starts one; a worker waits for it");
        }
    }
}
