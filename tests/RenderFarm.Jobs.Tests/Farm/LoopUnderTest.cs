using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using RenderFarm.Hosting.Loops;
using RenderFarm.Hosting.Metrics;

namespace RenderFarm.Jobs.Tests.Farm;

internal static class LoopUnderTest
{
    /// <summary>As its process runs it.</summary>
    public static async Task KeepAsync(this ILoop loop, CancellationToken cancellationToken)
    {
        using var meter = new Meter("loops under test");
        await new LoopSupervisor(
            meter,
            ApiInstruments.LoopDegraded,
            TimeProvider.System,
            NullLogger<LoopSupervisor>.Instance
        ).RunAsync([loop], cancellationToken);
    }
}
