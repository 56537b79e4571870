using System.Text.Json;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

public sealed class OutOfMemory
{
    private const long Mebibyte = 1L << 20;

    /// <summary>Decoding whole frames of this video takes about 1,570 MiB, in tiles of 32 about 790, in the smallest about 680.</summary>
    private const long Ceiling = 1000 * Mebibyte;

    [Fact]
    public async Task Render_MemoryRunsOut_StepsDownToCheaperPlansInFreshProcessesUntilOneFits()
    {
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup());
        var request = Requests.Slow();
        (request["size"], request["steps"], request["frames"]) = ("640x368", 1, 5);
        request["debug"] = new Dictionary<string, object> { ["device_memory_bytes"] = Ceiling };
        var id = (await farm.SubmitAsync(request)).GetProperty("id").GetString()!;

        var video = await farm.CompletedAsync(id, TimeSpan.FromSeconds(180));

        var attempts = await farm.AttemptsAsync(id);
        Assert.True(attempts.Count >= 2, "the first plan should have run out of memory");
        foreach (var failed in attempts.SkipLast(1))
        {
            Assert.Equal("gpu_out_of_memory", failed.GetProperty("error").GetProperty("code").GetString());
            var measured = failed.GetProperty("measurements");
            Assert.True(Bytes(measured, "requested_bytes") > 0);
            Assert.Equal(0, Bytes(measured, "free_bytes"));
            Assert.Equal(Bytes(failed.GetProperty("plan"), "predicted_peak_bytes"), Bytes(measured, "predicted_peak_bytes"));
            Assert.True(Bytes(measured, "peak_bytes") > Ceiling);
        }
        var last = attempts[^1];
        Assert.Equal("completed", last.GetProperty("outcome").GetString());
        Assert.InRange(Bytes(last.GetProperty("measurements"), "peak_bytes"), 100 * Mebibyte, Ceiling);
        Assert.Equal(Enumerable.Range(0, attempts.Count), attempts.Select(attempt => attempt.GetProperty("step_downs").GetInt32()));
        Assert.Equal(attempts.OrderByDescending(attempt => Bytes(attempt.GetProperty("plan"), "predicted_peak_bytes")), attempts);
        Assert.Equal(
            attempts.Count,
            attempts.Select(attempt => attempt.GetProperty("measurements").GetProperty("renderer_process_id").GetInt32()).Distinct().Count()
        );
        Assert.Equal(1, video.GetProperty("attempt").GetInt32()); // None was burnt
    }

    private static long Bytes(JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
