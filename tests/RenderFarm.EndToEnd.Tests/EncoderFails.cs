using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>The encoder is missing, or the disk is full under it: the job says so, and no broken MP4 is ever offered.</summary>
public sealed class EncoderFails
{
    [Fact]
    public async Task Start_FfmpegMissing_TheWorkerStopsAndNamesTheKeyAndTheRemedy()
    {
        await using var farm = await FarmUnderTest.StartAsync(
            new FarmSetup { More = new Dictionary<string, string> { ["Worker__FfmpegPath"] = "/nowhere/ffmpeg" } },
            workers: 0
        );

        var worker = await farm.LaunchWorkerAsync("worker-1");

        Assert.NotEqual(0, await worker.ExitAsync(within: TimeSpan.FromSeconds(60)));
        Assert.Contains("Worker:FfmpegPath", worker.LastWords(), StringComparison.Ordinal);
        Assert.Contains("apt-get install ffmpeg", worker.LastWords(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Render_DiskFullWhileEncoding_FailsAndOffersNothing()
    {
        using var folder = new TemporaryFolder();
        // Is ffmpeg in everything but encoding: then it takes some frames, and ends as ffmpeg does when a write finds no space.
        var ffmpeg = folder.File("ffmpeg");
        await File.WriteAllTextAsync(
            ffmpeg,
            """
            #!/bin/bash
            [[ " $* " == *" rawvideo "* ]] || exec ffmpeg "$@"
            while [[ $1 != -i ]]; do shift; done
            head -c 2000 "${2#file:}" > /dev/null
            echo "av_interleaved_write_frame(): No space left on device" >&2
            exit 228
            """,
            TestContext.Current.CancellationToken
        );
        File.SetUnixFileMode(ffmpeg, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var farm = await FarmUnderTest.StartAsync(
            new FarmSetup { More = new Dictionary<string, string> { ["Worker__FfmpegPath"] = ffmpeg } }
        );

        var video = await FailedAsync(farm);

        Assert.Contains("space", video.GetProperty("error").GetProperty("message").GetString(), StringComparison.OrdinalIgnoreCase);
    }

    private static async Task<System.Text.Json.JsonElement> FailedAsync(FarmUnderTest farm)
    {
        var request = Requests.Quick();
        request["max_attempts"] = 1;
        var id = (await farm.SubmitAsync(request)).GetProperty("id").GetString()!;
        var video = await farm.FinishedAsync(id, TimeSpan.FromSeconds(120));
        Assert.Equal("failed", video.GetProperty("status").GetString());
        using var content = await farm.Http.GetAsync(new Uri($"/v1/videos/{id}/content", UriKind.Relative));
        Assert.False(content.IsSuccessStatusCode);
        return video;
    }
}
