using Microsoft.Extensions.Options;
using RenderFarm.Artifacts;
using RenderFarm.Hosting.Folders;
using RenderFarm.Hosting.Settings;
using RenderFarm.Jobs.Keys;
using RenderFarm.Jobs.Persistence;

namespace RenderFarm.Api.Hosting;

/// <summary>What must be so before the first request is taken: settings that make sense, a schema, keys, a place for files.</summary>
internal static partial class Preparation
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Listens at once, prepares, and returns when the process is told to stop.</summary>
    /// <exception cref="OptionsValidationException">A setting is wrong.</exception>
    public static async Task ServeAsync(this WebApplication app)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        try
        {
            await app.StartAsync();
            await app.PrepareOrStopAsync(stopping);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Told to stop while it was starting, or before the store was there
        }

        await app.WaitForShutdownAsync(CancellationToken.None);
    }

    /// <summary>A start that failed of itself has nothing to stop; what has begun is stopped before the fault is told.</summary>
    private static async Task PrepareOrStopAsync(this WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.PrepareAsync(cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            await app.StopAsync(CancellationToken.None);
            throw;
        }
    }

    /// <summary>
    /// Waits for a job store that is not up yet; artifact store and broker are never waited for. <see cref="Readiness"/> says
    /// when it is through.
    /// </summary>
    /// <exception cref="OptionsValidationException">A setting is wrong.</exception>
    public static async Task PrepareAsync(this WebApplication app, CancellationToken cancellationToken = default)
    {
        var services = app.Services;
        app.Configuration.MakeHome();
        SayIfPlain(app);
        SayIfOutOfReach(app);
        CloseFiles(app);
        try
        {
            await UntilThereAsync(app, () => services.GetRequiredService<JobDatabase>().MigrateAsync(cancellationToken), cancellationToken);
        }
        catch (StoreRefusedException e)
        {
            throw SettingsFaults.At<StoreOptions>(nameof(StoreOptions.ConnectionString), e.Message);
        }

        await PrepareArtifactsAsync(app, cancellationToken);
        if (services.GetRequiredService<IOptions<KeysOptions>>().Value.BootstrapFile is { Length: > 0 } file)
        {
            try
            {
                await UntilThereAsync(
                    app,
                    () => services.GetRequiredService<KeyBootstrap>().EnsureAsync(file, cancellationToken),
                    cancellationToken
                );
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                throw SettingsFaults.At<KeysOptions>(nameof(KeysOptions.BootstrapFile), e.Message);
            }
        }

        services.GetRequiredService<Readiness>().IsThere();
    }

    /// <summary>Keys and videos that go over a network as they are: whoever starts it so is told.</summary>
    private static void SayIfPlain(WebApplication app)
    {
        var url = app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.Url;
        if (
            url.StartsWith("http:", StringComparison.OrdinalIgnoreCase)
            && !(Uri.TryCreate(url, UriKind.Absolute, out var address) && address.IsLoopback)
        )
        {
            LogPlain(app.Logger, url);
        }
    }

    /// <summary>Workers elsewhere would be sent to servers that only this machine reaches: uploads fail, and bells are silent.</summary>
    private static void SayIfOutOfReach(WebApplication app)
    {
        if (IsHere(app.Services.GetRequiredService<IOptions<ApiOptions>>().Value.PublicUrl) is not false)
        {
            return;
        }

        var artifacts = app.Services.GetRequiredService<IOptions<ArtifactsOptions>>().Value;
        var bus = app.Services.GetRequiredService<IOptions<BusOptions>>().Value;
        if (artifacts.Kind == ArtifactsKind.S3 && IsHere(artifacts.WorkerEndpoint ?? artifacts.Endpoint) is true)
        {
            LogOutOfReach(app.Logger, "object store", "Artifacts:WorkerEndpoint");
        }

        if (bus.ManagementUri.Length > 0 && IsHere(bus.WorkerUri.Length > 0 ? bus.WorkerUri : bus.Uri) is true)
        {
            LogOutOfReach(app.Logger, "broker", "Bus:WorkerUri");
        }

        static bool? IsHere(string? address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri.IsLoopback : null;
    }

    /// <summary>Before anything is opened: what an older version left open to others is closed.</summary>
    private static void CloseFiles(WebApplication app)
    {
        var store = app.Services.GetRequiredService<IOptions<StoreOptions>>().Value;
        foreach (
            var left in PrivateFiles
                .Close(FarmHome.Of(app.Configuration[FarmHome.Variable]))
                .Concat(store.File is { } database ? PrivateFiles.CloseDatabase(database) : [])
        )
        {
            LogLeftOpen(app.Logger, left);
        }
    }

    /// <summary>A store that is away now is no reason to refuse jobs; whoever stores first makes what is missing.</summary>
    private static async Task PrepareArtifactsAsync(WebApplication app, CancellationToken cancellationToken)
    {
        try
        {
            await app.Services.GetRequiredService<IArtifactStore>().EnsureReadyAsync(cancellationToken);
        }
        catch (ArtifactStoreException e) when (e.IsTransient)
        {
            LogWithoutArtifacts(app.Logger, e.InnerException?.Message ?? e.Message);
        }
        catch (ArtifactStoreException e)
        {
            throw SettingsFaults.At<ArtifactsOptions>(null, e.Message);
        }
    }

    private static async Task UntilThereAsync(WebApplication app, Func<Task> attempt, CancellationToken cancellationToken)
    {
        for (var waited = false; ; waited = true)
        {
            try
            {
                await attempt();
                if (waited)
                {
                    LogStoreIsThere(app.Logger);
                }

                return;
            }
            catch (StoreUnavailableException e)
            {
                var cause = e.Cause;
                app.Services.GetRequiredService<Readiness>().WaitsFor($"The job store is not there yet: {cause}");
                LogStoreIsAway(app.Logger, cause);
                await Task.Delay(Pause, app.Services.GetRequiredService<TimeProvider>(), cancellationToken);
            }
        }
    }

    [LoggerMessage(EventId = 102, Level = LogLevel.Warning, Message = "The artifact store is not there yet; starting without it: {Cause}")]
    private static partial void LogWithoutArtifacts(ILogger logger, string cause);

    [LoggerMessage(EventId = 103, Level = LogLevel.Warning, Message = "The job store is not there yet; trying again: {Cause}")]
    private static partial void LogStoreIsAway(ILogger logger, string cause);

    [LoggerMessage(EventId = 105, Level = LogLevel.Warning, Message = "Others may read what is the farm's, and it can't be closed: {Left}")]
    private static partial void LogLeftOpen(ILogger logger, string left);

    [LoggerMessage(
        EventId = 106,
        Level = LogLevel.Warning,
        Message = "The API listens at {Url} without TLS: keys and videos can be read by whoever is on the way. Set Api:Tls:Certificate and "
            + "Api:Tls:Key (./farm up --tls auto), or have a proxy with TLS before it"
    )]
    private static partial void LogPlain(ILogger logger, string url);

    [LoggerMessage(
        EventId = 107,
        Level = LogLevel.Warning,
        Message = "Workers on other machines can't reach the {Server}: its address is one of this machine alone. Set {Setting}"
    )]
    private static partial void LogOutOfReach(ILogger logger, string server, string setting);

    [LoggerMessage(EventId = 104, Level = LogLevel.Information, Message = "The job store is there")]
    private static partial void LogStoreIsThere(ILogger logger);
}
