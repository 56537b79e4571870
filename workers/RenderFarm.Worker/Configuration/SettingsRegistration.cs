using Microsoft.Extensions.Options;

namespace RenderFarm.Worker.Configuration;

/// <summary>Binds every section and checks it before anything starts; each message begins with the key to change.</summary>
internal static class SettingsRegistration
{
    public static IServiceCollection AddWorkerSettings(this IServiceCollection services, IConfiguration configuration)
    {
        Bind<WorkerOptions>(WorkerOptions.Section)
            .Validate(o => IsHttp(o.ApiUrl), "Worker:ApiUrl must be an http address such as http://127.0.0.1:8080")
            .Validate(o => o.Name.Length is > 0 and <= 100, "Worker:Name must have 1 to 100 characters")
            .Validate(o => o.Slots is "auto" or "cpu", "Worker:Slots must be 'auto' or 'cpu'")
            .Validate(o => o.DataDirectory.Length > 0, "Worker:DataDirectory must name a folder")
            .Validate(o => o.FfmpegPath.Length > 0, "Worker:FfmpegPath must name the ffmpeg program")
            .Validate(o => o.DrainGraceSeconds is >= 0 and <= 86_400, "Worker:DrainGraceSeconds must be 0 to 86400")
            .Validate(o => o.SilenceSeconds is >= 1 and <= 86_400, "Worker:SilenceSeconds must be 1 to 86400")
            .Validate(o => o.LeaseWaitSeconds is >= 0 and <= 60, "Worker:LeaseWaitSeconds must be 0 to 60")
            .Validate(o => Math.Abs(o.ClockOffsetSeconds) <= 1e9, "Worker:ClockOffsetSeconds must be seconds, 0 for the host's own clock")
            .Validate(o => o.MinimumFreeDiskMegabytes is >= 0 and <= 1e9, "Worker:MinimumFreeDiskMegabytes must be 0 or more")
            .Validate(o => o.MaxRenderers is null or (>= 1 and <= 64), "Worker:MaxRenderers must be 1 to 64; leave it out for one a slot")
            .Validate(
                o => o.RendererThreads is null or (>= 1 and <= 1024),
                "Worker:RendererThreads must be 1 to 1024; leave it out for the cores divided by the slots"
            )
            .Validate(
                o => o.RendererMemoryGigabytes is null or (> 0 and <= 65_536),
                "Worker:RendererMemoryGigabytes must be above 0 and at most 65536; leave it out for 90 % of host memory"
            )
            .Validate(o => o.CardPatienceSeconds is >= 0 and <= 3600, "Worker:CardPatienceSeconds must be 0 to 3600")
            .Validate(o => o.NvmlPath.Length > 0, "Worker:NvmlPath must name the driver's management library, libnvidia-ml.so.1")
            .Validate(o => o.SpoolGigabytes is > 0 and <= 1e6, "Worker:SpoolGigabytes must be above 0 and at most 1000000")
            .Validate(o => o.WeightCacheDirectory.Length > 0, "Worker:WeightCacheDirectory must name a folder")
            .Validate(
                o => o.WeightCacheGigabytes is null or (>= 0 and <= 65_536),
                "Worker:WeightCacheGigabytes must be 0 to 65536; leave it out for 70 % of host memory"
            )
            .Validate(
                o => o.HostMemoryGigabytes is null or (> 0 and <= 65_536),
                "Worker:HostMemoryGigabytes must be above 0 and at most 65536; leave it out for what is available"
            )
            .Validate(
                o => File.Exists(o.RendererPath),
                "Worker:RendererPath must name the renderer program or its .dll; build workers/RenderFarm.Renderer or set the path"
            );
        Bind<KeysOptions>(KeysOptions.Section).Validate(o => o.BootstrapFile.Length > 0, "Keys:BootstrapFile must name a file");
        Bind<ModelsOptions>(ModelsOptions.Section).Validate(o => o.Directory.Length > 0, "Models:Directory must name the folder of models");
        Bind<TorchOptions>(TorchOptions.Section)
            .Validate(
                o => string.IsNullOrEmpty(o.LibraryPath) || Directory.Exists(o.LibraryPath),
                "Torch:LibraryPath must name an existing folder with libtorch"
            );
        Bind<MetricsOptions>(MetricsOptions.Section)
            .Validate(o => IsListener(o.Url), "Metrics:Url must be an http address such as http://127.0.0.1:9464");
        Bind<BusOptions>(BusOptions.Section)
            .Validate(o => o.Kind is "none" or "rabbitmq", "Bus:Kind must be 'none' or 'rabbitmq'")
            .Validate(
                o => o.Kind == "none" || IsAmqp(o.Uri),
                "Bus:Uri must be an address such as amqp://user:password@host:5672/ when Bus:Kind is 'rabbitmq'"
            );
        return services;

        OptionsBuilder<T> Bind<T>(string section)
            where T : class => services.AddOptions<T>().Bind(configuration.GetSection(section)).ValidateOnStart();
    }

    private static bool IsHttp(string value) => Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https";

    /// <summary>An address to listen on may have <c>*</c> as its host.</summary>
    private static bool IsListener(string value) =>
        IsHttp(value.Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal));

    private static bool IsAmqp(string? value) => Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.Scheme is "amqp" or "amqps";
}
