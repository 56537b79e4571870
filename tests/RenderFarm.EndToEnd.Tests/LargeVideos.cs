using System.Security.Cryptography;
using RenderFarm.Testing;
using RenderFarm.Testing.Farms;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>Videos of 200 MB, and what becomes of them on a line that breaks.</summary>
internal static class LargeVideos
{
    private const long VideoBytes = 200L << 20;
    private const long PartBytes = 8L << 20;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(120);

    /// <summary>An encoder whose videos are large: what is too much lies in a box that players pass over.</summary>
    /// <returns>The program, in <paramref name="folder"/>.</returns>
    public static async Task<string> EncoderAsync(TemporaryFolder folder)
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
        return ffmpeg;
    }

    /// <summary>
    /// The one worker of the farm renders such a video, and its upload is cut twice: first the line alone, the second time the worker is
    /// killed as well. It goes on where it was, and what arrives is whole.
    /// </summary>
    /// <param name="farm">Its store is behind <paramref name="line"/>.</param>
    /// <param name="line">Between the farm and its store.</param>
    /// <param name="worker">Encodes by <see cref="EncoderAsync"/>.</param>
    /// <param name="startAgain">Starts it once more.</param>
    public static async Task CutTwiceAsync(FarmUnderTest farm, CuttableProxy line, FarmProcess worker, Func<Task> startAgain)
    {
        var before = line.Sent;
        var cut = line.CutAfterAsync(60L << 20);

        var id = (await farm.SubmitAsync(Requests.Quick())).GetProperty("id").GetString()!;
        await cut.WaitAsync(Soon, TestContext.Current.CancellationToken);
        cut = line.CutAfterAsync(60L << 20);
        line.Restore();
        await cut.WaitAsync(Soon, TestContext.Current.CancellationToken);
        await worker.KillAsync();
        line.Restore();
        await startAgain();

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
}
