using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Artifacts;

public static class ArtifactsRegistration
{
    /// <summary>Registers the store that <c>Artifacts:Kind</c> names; bad settings stop the host at start.</summary>
    public static IServiceCollection AddArtifacts(this IServiceCollection services, IConfiguration configuration)
    {
        var options = services.AddSettings<ArtifactsOptions, ArtifactsOptionsValidator>(configuration);
        services.TryAddSingleton(TimeProvider.System);
        return options.Kind == ArtifactsKind.S3
            ? services
                .AddSingleton(provider => new S3Connection(options, provider.GetRequiredService<TimeProvider>()))
                .AddSingleton<IArtifactStore, S3ArtifactStore>()
                .AddSingleton<IPartUploads, S3PartUploads>()
            : services
                .AddSingleton<IArtifactStore>(_ => new DirectoryArtifactStore(options.Directory!))
                .AddSingleton<IPartUploads>(_ => new DirectoryPartUploads(options.Directory!));
    }
}
