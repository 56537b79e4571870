using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>The story that everything else serves: a prompt goes in over HTTP, an MP4 comes back.</summary>
public sealed class SubmitAndDownload
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task Submit_OnPostgresRabbitMqAndS3_GivesAnMp4AndAFreshRendererForEachJob()
    {
        await using var services = await FarmOnServices.CreateAsync();
        await using var farm = await FarmUnderTest.StartAsync(services.Setup);

        var first = await RenderAsync(farm, seed: 11);
        var second = await RenderAsync(farm, seed: 12);

        Assert.NotEqual(await RendererOfAsync(farm, first), await RendererOfAsync(farm, second));
        Assert.Contains("renderfarm.jobs.cpu", await services.Host.QueuesAsync(TestContext.Current.CancellationToken));
        Assert.False(Directory.Exists(Path.Combine(farm.Home, "artifacts")), "the objects belong in the bucket");
    }

    [Fact]
    public async Task Submit_Embedded_GivesAnMp4AndAFreshRendererForEachJob()
    {
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup());

        var first = await RenderAsync(farm, seed: 11);
        var second = await RenderAsync(farm, seed: 12);

        Assert.NotEqual(await RendererOfAsync(farm, first), await RendererOfAsync(farm, second));
    }

    [Fact]
    public async Task Submit_SameSeedTwice_GivesTheSameFrames()
    {
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup());

        var (one, other) = (
            await DownloadAsync(farm, await RenderAsync(farm, seed: 5)),
            await DownloadAsync(farm, await RenderAsync(farm, seed: 5))
        );

        // The container's metadata may differ; the coded frames may not.
        Assert.Equal(MediaData(one), MediaData(other));
        Assert.NotEqual(MediaData(one), MediaData(await DownloadAsync(farm, await RenderAsync(farm, seed: 6))));
    }

    private static async Task<string> RenderAsync(FarmUnderTest farm, long seed)
    {
        var request = Requests.Quick(seed);
        var id = (await farm.SubmitAsync(request)).GetProperty("id").GetString()!;
        var video = await farm.CompletedAsync(id, Patience);
        Assert.Equal(seed, video.GetProperty("seed").GetInt64());
        Assert.Equal(100, video.GetProperty("progress").GetInt32());

        using var folder = new TemporaryFolder();
        var path = folder.File("video.mp4");
        await File.WriteAllBytesAsync(path, await DownloadAsync(farm, id));
        var file = await VideoFile.ProbeAsync(path);
        Assert.Equal((64, 48, 9, "8/1"), (file.Width, file.Height, file.Frames, file.FrameRate));
        Assert.Equal(("h264", "yuv420p"), (file.Text("codec_name"), file.Text("pix_fmt")));
        Assert.Equal(
            ("bt709", "bt709", "bt709", "tv"),
            (file.Text("color_space"), file.Text("color_transfer"), file.Text("color_primaries"), file.Text("color_range"))
        );
        Assert.True(file.Boxes.IndexOf("moov") < file.Boxes.IndexOf("mdat"), $"not ready to stream: {string.Join(' ', file.Boxes)}");
        Assert.Contains("a red ball rolls to the right", file.Format.GetProperty("tags").ToString(), StringComparison.Ordinal);
        Assert.Contains(
            seed.ToString(System.Globalization.CultureInfo.InvariantCulture),
            file.Format.GetProperty("tags").ToString(),
            StringComparison.Ordinal
        );
        return id;
    }

    private static async Task<byte[]> DownloadAsync(FarmUnderTest farm, string id) =>
        await farm.Http.GetByteArrayAsync($"/v1/videos/{id}/content");

    private static async Task<int> RendererOfAsync(FarmUnderTest farm, string id) =>
        Assert.Single(await farm.AttemptsAsync(id)).GetProperty("measurements").GetProperty("renderer_process_id").GetInt32();

    private static byte[] MediaData(byte[] mp4)
    {
        var at = mp4.AsSpan().IndexOf("mdat"u8);
        Assert.True(at > 0);
        return mp4[at..];
    }
}
