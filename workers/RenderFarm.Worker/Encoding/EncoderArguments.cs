using System.Globalization;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Worker.Encoding;

/// <summary>The command lines of ffmpeg. Paths go behind <c>file:</c>, so that a colon in one is no protocol.</summary>
internal static class EncoderArguments
{
    private static readonly string[] Common = ["-hide_banner", "-nostdin", "-y", "-loglevel", "error"];

    /// <summary>
    /// Raw rgb24 frames to H.264 that every player shows in the right colours: converted with the BT.709 matrix and
    /// tagged so (without the scale filter the tags would lie), 4:2:0, index at the front of the file.
    /// </summary>
    public static IReadOnlyList<string> Video(RenderSpec spec, string pipe, string metadata, string output)
    {
        var fps = spec.Fps.ToString(CultureInfo.InvariantCulture);
        return
        [
            .. Common,
            "-progress", "pipe:1", "-stats_period", "0.5", "-f", "ffmetadata", "-i",
            "file:" + metadata,
            "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
            $"{spec.Width}x{spec.Height}",
            "-r",
            fps,
            "-i",
            "file:" + pipe,
            "-map", "1:v:0", "-map_metadata", "0", "-an", "-vf",
            "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p",
            "-c:v", "libx264", "-crf", "18", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
            "-color_range", "tv", "-movflags", "+faststart", "-f", "mp4",
            "file:" + output,
        ];
    }

    /// <summary>The middle frame, at most 640 wide.</summary>
    public static IReadOnlyList<string> Thumbnail(RenderSpec spec, string video, string output) =>
        Picture(video, string.Create(CultureInfo.InvariantCulture, $"select=eq(n\\,{spec.Frames / 2}),scale='min(640,iw)':-2"), output);

    /// <summary>Up to 25 frames, evenly spaced, five in a row.</summary>
    public static IReadOnlyList<string> Spritesheet(RenderSpec spec, string video, string output)
    {
        var every = (spec.Frames + 24) / 25;
        var shown = (spec.Frames + every - 1) / every;
        var columns = Math.Min(shown, 5);
        var rows = (shown + columns - 1) / columns;
        return Picture(
            video,
            string.Create(CultureInfo.InvariantCulture, $"select=not(mod(n\\,{every})),scale='min(256,iw)':-2,tile={columns}x{rows}"),
            output
        );
    }

    private static string[] Picture(string video, string filter, string output) =>
        [
            .. Common,
            "-i",
            "file:" + video,
            "-vf",
            filter,
            "-frames:v", "1", "-c:v", "libwebp", "-quality", "80", "-f", "webp",
            "file:" + output,
        ];
}
