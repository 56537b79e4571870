using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

public sealed class Draining
{
    [Fact]
    public async Task Drain_ByTheApi_FinishesTheJobAtWorkAndTakesNoOtherUntilResumed()
    {
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup());
        var running = (await farm.SubmitAsync(Requests.Slow())).GetProperty("id").GetString()!;
        await farm.DenoisingAsync(running, TimeSpan.FromSeconds(60));
        var worker = (await farm.GetAsync("/v1/workers")).GetProperty("data")[0].GetProperty("id").GetString()!;

        (await farm.PostAsync($"/v1/workers/{worker}/drain")).EnsureSuccessStatusCode();
        var next = (await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!;
        var done = await farm.CompletedAsync(running, TimeSpan.FromSeconds(120));

        // It has asked for work since, and got none
        await farm.EventuallyAsync(
            async () =>
                (await farm.GetAsync($"/v1/workers/{worker}")).GetProperty("seen_at").GetInt64()
                > done.GetProperty("completed_at").GetInt64() + 1,
            TimeSpan.FromSeconds(60),
            "the worker to ask for work"
        );
        Assert.Equal("draining", (await farm.GetAsync($"/v1/workers/{worker}")).GetProperty("status").GetString());
        Assert.Equal("queued", (await farm.VideoAsync(next)).GetProperty("status").GetString());
        Assert.Single(await farm.AttemptsAsync(running));

        (await farm.PostAsync($"/v1/workers/{worker}/resume")).EnsureSuccessStatusCode();
        await farm.CompletedAsync(next, TimeSpan.FromSeconds(60));
    }
}
