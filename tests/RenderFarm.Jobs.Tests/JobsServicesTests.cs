using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RenderFarm.Artifacts;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Loops;
using RenderFarm.Jobs.Composition;
using RenderFarm.Jobs.Tests.Farm;
using RenderFarm.Jobs.Users;
using RenderFarm.Testing;

namespace RenderFarm.Jobs.Tests;

public sealed class JobsServicesTests
{
    [Fact]
    public async Task AddJobs_OneCall_BuildsEverythingAndEveryLoopStopsWhenAsked()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var store = new SqliteStore();
        using var artifacts = new TemporaryFolder();
        var services = new ServiceCollection()
            .AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance)
            .AddSingleton(typeof(ILogger<>), typeof(NullLogger<>))
            .AddSingleton<IArtifactStore>(new DirectoryArtifactStore(artifacts.Path))
            .AddJobs(await store.CreateAsync(stop));
        await using var provider = services.BuildServiceProvider(new ServiceProviderOptions { ValidateOnBuild = true });

        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
        ILoop[] loops = [.. provider.GetServices<ILoop>()];
        Assert.Equal(9, loops.Select(loop => loop.Name).Distinct().Count());
        var running = Task.WhenAll(loops.Select(loop => loop.KeepAsync(stopping.Token)));
        Assert.Empty((await provider.GetRequiredService<JobStore>().CountsAsync(stop)).ByState);
        await stopping.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(30), stop);
        Assert.Equal(24, provider.GetRequiredService<LeaseSettings>().LeaseSeconds);
    }
}
