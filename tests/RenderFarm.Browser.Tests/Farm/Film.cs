using System.Diagnostics;
using RenderFarm.Contracts.Videos;
using RenderFarm.Testing;

namespace RenderFarm.Browser.Tests.Farm;

/// <summary>A result that browsers play: made by ffmpeg, with the kinds of file that a renderer makes.</summary>
internal sealed record Film(byte[] Video, byte[] Thumbnail, byte[] Sheet, byte[] Preview)
{
    public IEnumerable<(ArtifactKind Kind, byte[] Bytes)> Files =>
        [(ArtifactKind.Video, Video), (ArtifactKind.Thumbnail, Thumbnail), (ArtifactKind.Spritesheet, Sheet)];

    /// <param name="source">What ffmpeg's <c>lavfi</c> draws.</param>
    public static async Task<Film> MakeAsync(string source)
    {
        using var folder = new TemporaryFolder();
        var (video, picture, sheet, preview) = (folder.File("a.mp4"), folder.File("a.webp"), folder.File("s.webp"), folder.File("p.png"));
        string[] encoder = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-movflags", "+faststart"];
        await RunAsync(["-f", "lavfi", "-i", source, "-frames:v", "17", .. encoder, video]);
        await RunAsync("-i", video, "-frames:v", "1", picture);
        await RunAsync("-i", video, "-vf", "fps=4,scale=120:-2,tile=4x1", "-frames:v", "1", sheet);
        await RunAsync("-i", video, "-vf", "scale=104:60", "-frames:v", "1", preview);
        return new Film(
            await File.ReadAllBytesAsync(video),
            await File.ReadAllBytesAsync(picture),
            await File.ReadAllBytesAsync(sheet),
            await File.ReadAllBytesAsync(preview)
        );
    }

    private static async Task RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("ffmpeg") { RedirectStandardError = true };
        foreach (var argument in new[] { "-y", "-v", "error" }.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        using var ffmpeg = Process.Start(start)!;
        var said = await ffmpeg.StandardError.ReadToEndAsync();
        await ffmpeg.WaitForExitAsync();
        Assert.True(ffmpeg.ExitCode == 0, said);
    }
}
