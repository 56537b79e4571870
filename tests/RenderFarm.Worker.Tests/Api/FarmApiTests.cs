using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Tests.Api;

public sealed class FarmApiTests
{
    [Fact]
    public async Task Renew_ConnectionsAreResetWhileTheyAreMade_IsTransientEveryTime()
    {
        using ResettingServer server = new();
        IOptions<WorkerOptions> options = Options.Create(new WorkerOptions { ApiUrl = server.Address, ApiKey = "rf_key" });
        using FarmApi api = new(options, new WorkerKey(options, Options.Create(new KeysOptions())));

        for (int call = 0; call < 2000; call++)
        {
            FarmApiException fault = await Assert.ThrowsAsync<FarmApiException>(() =>
                api.RenewAsync(
                    "video_1",
                    new RenewRequest { Fence = 1, Stage = RenderStage.Denoising },
                    TestContext.Current.CancellationToken
                )
            );
            Assert.True(fault.IsTransient, fault.ToString());
        }
    }
}
