using Microsoft.Extensions.Options;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Checks;
using RenderFarm.Hosting.Doctor;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;
using RenderFarm.Worker.Children;
using RenderFarm.Worker.Configuration;
using RenderFarm.Worker.Encoding;
using RenderFarm.Worker.Hosting;
using RenderFarm.Worker.Models;
using RenderFarm.Worker.Slots;
using RenderFarm.Worker.WeightCache;

namespace RenderFarm.Worker.Doctor;

/// <summary><c>doctor --json</c>: what a worker with these settings would find on this host. Changes nothing.</summary>
internal static class DoctorVerb
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(string[] args)
    {
        List<HostCheck> checks = [];
        try
        {
            await using var app = WorkerApplication.Build(args, builder => builder.Logging.ClearProviders());
            await LookAsync(app.Services, checks);
        }
        catch (OptionsValidationException fault)
        {
            checks.AddRange(fault.Failures.Select(failure => HostCheck.Lacks("worker settings", failure, "correct the setting")));
        }

        return DoctorReport.Write(Console.Out, checks);
    }

    private static async Task LookAsync(IServiceProvider services, List<HostCheck> checks)
    {
        var options = services.GetRequiredService<IOptions<WorkerOptions>>().Value;
        var discovery = services.GetRequiredService<SlotDiscovery>();
        var catalog = services.GetRequiredService<ModelCatalog>();
        _ = await catalog.ScanAsync(CancellationToken.None);
        checks.AddRange(CardChecks.Of(discovery));
        checks.AddRange(MemoryChecks.Of(discovery, catalog, services.GetRequiredService<HostWeightCache>(), options));
        checks.Add(await EncoderAsync(services.GetRequiredService<EncoderTrial>(), options));
        checks.Add(Disk(options));
        checks.Add(await ApiAsync(options));
        checks.Add(await BrokerAsync(services.GetRequiredService<IOptions<BusOptions>>().Value));
        checks.Add(
            await StoreAsync(services.GetRequiredService<IArtifactStore>(), services.GetRequiredService<IOptions<ArtifactsOptions>>().Value)
        );
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

    private static HostCheck Disk(WorkerOptions options)
    {
        var free = FreeSpace.BytesFor(options.DataDirectory) / 1e6;
        var finding = FormattableString.Invariant($"{free:0} MB free for {options.DataDirectory}");
        return free >= options.MinimumFreeDiskMegabytes
            ? HostCheck.Ok("worker disk", finding)
            : HostCheck.Lacks(
                "worker disk",
                finding,
                FormattableString.Invariant(
                    $"free {options.MinimumFreeDiskMegabytes:0} MB, or set Worker:DataDirectory to a folder with more"
                )
            );
    }

    private static async Task<HostCheck> ApiAsync(WorkerOptions options)
    {
        using var http = new HttpClient { Timeout = Patience };
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

    private static async Task<HostCheck> BrokerAsync(BusOptions bus)
    {
        if (!bus.IsRabbitMq)
        {
            return HostCheck.Without("broker", "none set: work comes by long poll");
        }

        var address = new Uri(bus.Uri);
        var shown = $"{address.Host}:{(address.IsDefaultPort || address.Port < 0 ? 5672 : address.Port)}";
        try
        {
            var factory = new ConnectionFactory { Uri = address, RequestedConnectionTimeout = Patience };
            await using var connection = await factory.CreateConnectionAsync("renderfarm-doctor");
            return HostCheck.Ok("broker", $"{shown} takes connections");
        }
        catch (Exception fault)
            when (fault is BrokerUnreachableException or AuthenticationFailureException or OperationInterruptedException or IOException)
        {
            var why =
                fault.InnerException is AuthenticationFailureException
                    ? "user or password is refused"
                    : fault.InnerException?.Message ?? fault.Message;
            return HostCheck.Lacks(
                "broker",
                $"{shown}: {why}",
                "start RabbitMQ there, or correct Bus:Uri; until then jobs start by long poll"
            );
        }
    }

    private static async Task<HostCheck> StoreAsync(IArtifactStore store, ArtifactsOptions artifacts)
    {
        var place = artifacts.Kind == "s3" ? $"bucket {artifacts.Bucket} at {artifacts.Endpoint}" : artifacts.Directory ?? "";
        if (artifacts.Kind != "s3")
        {
            return HostCheck.Ok("artifacts", $"a folder: {place}");
        }

        try
        {
            using var bounded = new CancellationTokenSource(Patience);
            _ = await store.StatAsync("doctor", bounded.Token);
            return HostCheck.Ok("artifacts", $"{place} answers");
        }
        catch (Exception fault) when (fault is ArtifactStoreException or OperationCanceledException)
        {
            return HostCheck.Lacks(
                "artifacts",
                $"{place}: {fault.Message}",
                "start the store, or correct Artifacts:Endpoint, Artifacts:AccessKey, Artifacts:SecretKey and Artifacts:Bucket; finished "
                    + "videos wait in the spool meanwhile"
            );
        }
    }
}
