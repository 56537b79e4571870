using System.Diagnostics.CodeAnalysis;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Instrument = RenderFarm.Hosting.Metrics.Instrument;

namespace RenderFarm.Hosting.Loops;

public static class LoopRegistration
{
    /// <summary>The supervisor of this process's loops, which shows on a meter how they fare.</summary>
    public static IServiceCollection AddLoopSupervisor(this IServiceCollection services, string meter, Instrument degraded) =>
        services.AddSingleton(provider => new LoopSupervisor(
            provider.GetRequiredService<IMeterFactory>().Create(meter),
            degraded,
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<LoopSupervisor>>()
        ));

    /// <summary>One loop more. It can be asked for by its type too.</summary>
    public static IServiceCollection AddLoop<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TLoop>(
        this IServiceCollection services
    )
        where TLoop : class, ILoop =>
        services.AddSingleton<TLoop>().AddSingleton<ILoop>(provider => provider.GetRequiredService<TLoop>());
}
