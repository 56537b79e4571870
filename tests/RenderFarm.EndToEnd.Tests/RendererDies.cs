using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

public sealed class RendererDies
{
    [Fact]
    public async Task Render_RendererKilledMidStep_IsTriedAgainAndCompletes()
    {
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup(), workers: 0);
        var worker = await farm.StartWorkerAsync("worker-1");
        var id = (await farm.SubmitAsync(Requests.Slow())).GetProperty("id").GetString()!;
        await farm.DenoisingAsync(id, TimeSpan.FromSeconds(60));

        var renderers = worker.Children("RenderFarm.Renderer");
        Assert.NotEmpty(renderers);
        foreach (var renderer in renderers)
        {
            FarmProcess.KillHard(renderer);
        }

        var video = await farm.CompletedAsync(id, TimeSpan.FromSeconds(120));
        var attempts = await farm.AttemptsAsync(id);
        Assert.Equal(2, attempts.Count);
        Assert.Equal(
            ("failed", "renderer_crashed"),
            (attempts[0].GetProperty("outcome").GetString(), attempts[0].GetProperty("error").GetProperty("code").GetString())
        );
        Assert.Equal("completed", attempts[1].GetProperty("outcome").GetString());
        Assert.Equal(2, video.GetProperty("attempt").GetInt32());
        Assert.False(worker.HasExited);
    }
}
