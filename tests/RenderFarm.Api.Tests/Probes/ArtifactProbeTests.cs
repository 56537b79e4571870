using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using RenderFarm.Api.Health;
using RenderFarm.Api.Probes;
using RenderFarm.Artifacts;
using RenderFarm.Jobs.Maintenance;
using RenderFarm.Testing;

namespace RenderFarm.Api.Tests.Probes;

/// <summary>A store that answers questions and takes nothing is away, as far as a finished video is concerned.</summary>
public sealed class ArtifactProbeTests : IDisposable
{
    private readonly TemporaryFolder _home = new();
    private readonly FakeTimeProvider _time = new();

    private string Root => Path.Combine(_home.Path, "artifacts");

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task LookAsync_AStoreThatTakesThings_FindsNoFaultAndLeavesNothing()
    {
        var probe = await LookedAsync();

        Assert.Equal(new ProbeResult(null), probe.Last);
        Assert.Empty(Directory.EnumerateFiles(Root, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task LookAsync_TheFolderIsAFileNow_SaysSoAndIsWellAgainAfterwards()
    {
        var probe = await LookedAsync();
        Directory.Delete(Root, recursive: true);
        await File.WriteAllTextAsync(Root, "no folder", TestContext.Current.CancellationToken);

        await AgainAsync(probe);
        Assert.NotNull(probe.Last!.Fault);

        File.Delete(Root);
        await AgainAsync(probe);
        Assert.Null(probe.Last!.Fault);
    }

    /// <summary>Who asks for the health need have no key: where the folder lies is not told.</summary>
    [Fact]
    public async Task Health_OfAStoreThatTakesNothing_IsDegradedAndSaysWhy()
    {
        await using var farm = await TestFarm.StartAsync();
        await File.WriteAllTextAsync(Root, "no folder", TestContext.Current.CancellationToken);
        var probe = await LookedAsync();

        var health = await new ArtifactHealth(probe, farm.Services.GetRequiredService<ArtifactJanitor>()).CheckHealthAsync(new());
        Assert.Equal(HealthStatus.Degraded, health.Status);
        Assert.NotEmpty(health.Description!);
        Assert.DoesNotContain(_home.Path, health.Description!, StringComparison.Ordinal);
    }

    private async Task<ArtifactProbe> LookedAsync()
    {
        var probe = new ArtifactProbe(new DirectoryArtifactStore(Root), _time, NullLogger<ArtifactProbe>.Instance);
        await probe.LookAsync(TestContext.Current.CancellationToken);
        return probe;
    }

    private async Task AgainAsync(ArtifactProbe probe)
    {
        _time.Advance(ArtifactProbe.Every);
        await probe.LookAsync(TestContext.Current.CancellationToken);
    }
}
