using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace RenderFarm.Artifacts;

public static class ArtifactsRegistration
{
    /// <summary>Registers the <see cref="IArtifactStore"/> that <c>Artifacts:Kind</c> names; bad settings stop the host at start.</summary>
    public static IServiceCollection AddArtifacts(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<ArtifactsOptions>().Bind(configuration.GetSection(ArtifactsOptions.Section)).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<ArtifactsOptions>, ArtifactsOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IArtifactStore>(provider =>
        {
            var options = provider.GetRequiredService<IOptions<ArtifactsOptions>>().Value;
            return options.Kind == "s3"
                ? new S3ArtifactStore(options, provider.GetRequiredService<TimeProvider>())
                : new DirectoryArtifactStore(options.Directory!);
        });
        return services;
    }
}
