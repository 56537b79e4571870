using System.Security.Cryptography;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>A large video on its way to S3 from a host that has no key of it, over a line that breaks.</summary>
public sealed class UploadIsCut
{
    private const long VideoBytes = 200L << 20;
    private const long PartBytes = 8L << 20;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);

    /// <summary>First the line is cut; the second time the worker is killed as well.</summary>
    [Fact]
    public async Task Upload_CutTwice_GoesOnWhereItWas()
    {
        var s3 = TestServices.S3;
        using var line = new CuttableProxy(s3.Host, s3.Port);
        using var folder = new TemporaryFolder();
        await using var farm = await FarmUnderTest.StartAsync(await SetupAsync(line.Through(s3), folder), workers: 0);
        var worker = await farm.StartWorkerAsync("worker-1");
        var before = line.Sent;
        var cut = line.CutAfterAsync(60L << 20);

        var id = (await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!;
        await cut.WaitAsync(Soon, TestContext.Current.CancellationToken);
        cut = line.CutAfterAsync(60L << 20);
        line.Restore();
        await cut.WaitAsync(Soon, TestContext.Current.CancellationToken);
        await worker.KillAsync();
        line.Restore();
        await farm.StartWorkerAsync("worker-1");

        await farm.CompletedAsync(id, Soon);
        // What was under way at each cut goes once more: three parts at most
        Assert.InRange(line.Sent - before, VideoBytes, VideoBytes + (2 * 3 * PartBytes) + (1 << 20));
        using var video = await farm.Http.GetAsync(
            new Uri($"/v1/videos/{id}/content", UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            TestContext.Current.CancellationToken
        );
        await using var content = await video.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, TestContext.Current.CancellationToken));
        Assert.Equal(sha256, video.Headers.ETag!.Tag.Trim('"'));
        Assert.True(video.Content.Headers.ContentLength > VideoBytes);
        Assert.Single(await farm.AttemptsAsync(id));
    }

    [Fact]
    public async Task Worker_ThatHasStoredAVideo_HoldsNothingOfTheStore()
    {
        var s3 = TestServices.S3;
        await using var farm = await FarmUnderTest.StartAsync(new FarmSetup { S3 = s3 }, workers: 0);
        var worker = await farm.StartWorkerAsync("worker-1");
        var id = (await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!;
        await farm.CompletedAsync(id, Soon);

        var secret = s3.UserInfo.Split(':')[1];
        var environment = await File.ReadAllTextAsync($"/proc/{worker.Id}/environ", TestContext.Current.CancellationToken);
        Assert.DoesNotContain(secret, environment, StringComparison.Ordinal);
        Assert.DoesNotContain("Artifacts__", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("Store__", environment, StringComparison.Ordinal);
        Assert.DoesNotContain("X-Amz-Signature", worker.LastWords(lines: 10_000), StringComparison.Ordinal);

        await worker.StopAsync();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(farm.Home, "worker-1"), "*", SearchOption.AllDirectories))
        {
            var text = await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken);
            Assert.False(text.Contains(secret, StringComparison.Ordinal), file);
        }
    }

    /// <summary>An encoder whose videos are large: what is too much lies in a box that players pass over.</summary>
    private static async Task<FarmSetup> SetupAsync(Uri s3, TemporaryFolder folder)
    {
        var ffmpeg = folder.File("ffmpeg");
        await File.WriteAllTextAsync(
            ffmpeg,
            $$"""
            #!/bin/bash
            ffmpeg "$@" || exit
            out=${@: -1}
            [[ $out == *attempts*video.mp4.part ]] || exit 0
            printf '\x{{VideoBytes >> 24:x2}}\x{{(VideoBytes >> 16) & 255:x2}}\x00\x00free' >> "${out#file:}"
            head -c {{VideoBytes - 8}} /dev/urandom >> "${out#file:}"
            """,
            TestContext.Current.CancellationToken
        );
        File.SetUnixFileMode(ffmpeg, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new FarmSetup { S3 = s3, More = new Dictionary<string, string> { ["Worker__FfmpegPath"] = ffmpeg } };
    }
}
