using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using RenderFarm.Hosting.Settings;

namespace RenderFarm.Artifacts;

public static class ArtifactsRegistration
{
    /// <summary>Registers the <see cref="IArtifactStore"/> that <c>Artifacts:Kind</c> names; bad settings stop the host at start.</summary>
    public static IServiceCollection AddArtifacts(this IServiceCollection services, IConfiguration configuration)
    {
        var options = services.AddSettings<ArtifactsOptions, ArtifactsOptionsValidator>(configuration);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IArtifactStore>(provider =>
            options.Kind == ArtifactsKind.S3
                ? new S3ArtifactStore(options, provider.GetRequiredService<TimeProvider>())
                : new DirectoryArtifactStore(options.Directory!));
        return services;
    }
}
