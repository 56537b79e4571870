using Microsoft.Extensions.Options;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Videos;
using RenderFarm.Hosting.Settings;
using RenderFarm.Testing;
using RenderFarm.Worker.Api;
using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Tests.Api;

public sealed class FarmApiTests
{
    [Fact]
    public async Task Renew_ConnectionsAreResetWhileTheyAreMade_IsTransientEveryTime()
    {
        using var server = new ResettingServer();
        var options = Options.Create(new WorkerOptions { ApiUrl = server.Address, ApiKey = "rf_key" });
        using var api = new FarmApi(options, new WorkerKey(options, Options.Create(new KeysOptions())));

        for (var call = 0; call < 2000; call++)
        {
            var fault = await Assert.ThrowsAsync<FarmApiException>(() =>
                api.RenewAsync(
                    new LeaseId("video_1", 1, LeaseToken.New()),
                    new RenewRequest { Stage = RenderStage.Denoising },
                    TestContext.Current.CancellationToken
                )
            );
            Assert.True(fault.IsTransient, fault.ToString());
        }
    }
}
