using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

public sealed class WorkerDies
{
    [Fact]
    public async Task Render_WorkerKilledMidJob_RunsOnAnotherWithinThirtySeconds()
    {
        await using var services = await FarmOnServices.CreateAsync();
        await using var farm = await FarmUnderTest.StartAsync(services.Setup, workers: 0);
        var first = await farm.StartWorkerAsync("worker-1");
        var id = (await farm.SubmitAsync(Requests.Slow())).GetProperty("id").GetString()!;
        await farm.DenoisingAsync(id, TimeSpan.FromSeconds(60));
        await farm.StartWorkerAsync("worker-2");
        var renderers = first.Children("RenderFarm.Renderer");

        await first.KillAsync();

        await farm.EventuallyAsync(
            async () => (await farm.AttemptsAsync(id)).Count == 2,
            TimeSpan.FromSeconds(30),
            "the job to be leased again"
        );
        await farm.CompletedAsync(id, TimeSpan.FromSeconds(120));
        var attempts = await farm.AttemptsAsync(id);
        Assert.Equal("lost", attempts[0].GetProperty("outcome").GetString());
        Assert.Equal("completed", attempts[1].GetProperty("outcome").GetString());
        Assert.True(attempts[1].GetProperty("fence").GetInt64() > attempts[0].GetProperty("fence").GetInt64());
        Assert.NotEqual(attempts[0].GetProperty("worker").GetString(), attempts[1].GetProperty("worker").GetString());
        Assert.DoesNotContain(renderers, FarmProcess.IsRunning);
    }

    [Fact]
    public async Task Stop_WorkerDrainedMidJob_HandsTheJobBackWithoutBurningAnAttempt()
    {
        await using var farm = await FarmUnderTest.StartAsync(
            new FarmSetup { More = new Dictionary<string, string> { ["Worker__DrainGraceSeconds"] = "0" } },
            workers: 0
        );
        var first = await farm.StartWorkerAsync("worker-1");
        var id = (await farm.SubmitAsync(Requests.Slow())).GetProperty("id").GetString()!;
        await farm.DenoisingAsync(id, TimeSpan.FromSeconds(60));

        Assert.Equal(0, await first.StopAsync());
        await farm.StartWorkerAsync("worker-2");

        var video = await farm.CompletedAsync(id, TimeSpan.FromSeconds(120));
        Assert.Equal("released", (await farm.AttemptsAsync(id))[0].GetProperty("outcome").GetString());
        Assert.Equal(1, video.GetProperty("attempt").GetInt32());
    }
}
