using System.Text.Json;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

public sealed class Cancelling
{
    [Fact]
    public async Task Cancel_WhileRendering_EndsTheRendererAndFreesTheSlot()
    {
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup(), workers: 0);
        var worker = await farm.StartWorkerAsync("worker-1");
        var id = (await farm.SubmitAsync(Requests.Slow())).GetProperty("id").GetString()!;
        await farm.DenoisingAsync(id, TimeSpan.FromSeconds(60));
        var renderers = worker.Children("RenderFarm.Renderer");

        (await farm.PostAsync($"/v1/videos/{id}/cancel")).EnsureSuccessStatusCode();

        AssertCancelled(await farm.FinishedAsync(id, TimeSpan.FromSeconds(15)));
        Assert.DoesNotContain(renderers, FarmProcess.IsRunning);
        await farm.CompletedAsync((await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!, TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task Cancel_WhileQueued_EndsAtOnce()
    {
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup());
        var running = (await farm.SubmitAsync(Requests.Slow())).GetProperty("id").GetString()!;
        await farm.DenoisingAsync(running, TimeSpan.FromSeconds(60));
        var queued = (await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!;

        var answer = await farm.PostAsync($"/v1/videos/{queued}/cancel");

        AssertCancelled(JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement);
        Assert.Empty(await farm.AttemptsAsync(queued));
    }

    private static void AssertCancelled(JsonElement video) =>
        Assert.Equal(
            ("failed", "cancelled"),
            (video.GetProperty("status").GetString(), video.GetProperty("error").GetProperty("code").GetString())
        );
}
