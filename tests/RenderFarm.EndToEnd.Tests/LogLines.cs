using System.Text.Json;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>Whoever looks for a video in the logs of all processes finds all that they have to say of it.</summary>
public sealed class LogLines
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    /// <summary>What goes on beside a video, whether there is one or not.</summary>
    private static readonly string[] OfNoVideo =
    [
        "RenderFarm.Worker.Polling.",
        "RenderFarm.Worker.Registration.",
        "RenderFarm.Worker.Calibration.",
    ];

    [Fact]
    public async Task EveryLineOfAVideo_InEachProcess_NamesItAndItsTrace()
    {
        await using var farm = await FarmUnderTest.StartAsync(
            new FarmSetup
            {
                More = new Dictionary<string, string> { ["Logs__Format"] = "json", ["Outbound__AllowedNetworks__0"] = "127.0.0.0/8" },
            },
            workers: 0
        );
        var worker = await farm.StartWorkerAsync("worker-1");
        var (workerSaid, apiSaid) = (Lines(worker).Count, Lines(farm.Api).Count);
        // Where nobody listens: so the API has something to say too
        var request = new Dictionary<string, object>(Requests.Slow()) { ["webhook_url"] = "http://127.0.0.1:9/" };
        var id = (await farm.SubmitAsync(request)).GetProperty("id").GetString()!;
        await farm.DenoisingAsync(id, Patience);
        foreach (var renderer in worker.Children("RenderFarm.Renderer"))
        {
            FarmProcess.KillHard(renderer);
        }

        var trace = (await farm.CompletedAsync(id, Patience)).GetProperty("trace_id").GetString()!;
        await farm.EventuallyAsync(
            () => Task.FromResult(Lines(worker).Any(line => line.Contains("The job is now Completed", StringComparison.Ordinal))),
            Patience,
            "the worker to say that it is done"
        );

        foreach (var lines in new[] { Lines(worker).Skip(workerSaid), Lines(farm.Api).Skip(apiSaid) })
        {
            var ofVideo = lines.Where(IsOfAVideo).ToList();
            Assert.NotEmpty(ofVideo);
            Assert.All(ofVideo, line => Assert.True(line.Contains(id) && line.Contains(trace), line));
        }
    }

    private static List<string> Lines(FarmProcess process) =>
        [.. File.ReadLines(process.Log).Where(line => line.StartsWith('{') && line.EndsWith('}'))];

    private static bool IsOfAVideo(string line)
    {
        using var said = JsonDocument.Parse(line);
        var category = said.RootElement.GetProperty("Category").GetString()!;
        return category.StartsWith("RenderFarm.", StringComparison.Ordinal) && !OfNoVideo.Any(category.StartsWith);
    }
}
