using System.Diagnostics;
using System.Globalization;

namespace RenderFarm.Testing.Clips;

/// <summary>The pixels of a video file, as ffmpeg decodes them.</summary>
/// <param name="Pixels">Red, green and blue, a byte each, row by row and frame by frame.</param>
public sealed record Clip(int Width, int Height, byte[] Pixels)
{
    public int Frames => Pixels.Length / (Width * Height * 3);

    public ReadOnlySpan<byte> Frame(int index) => Pixels.AsSpan(index * Width * Height * 3, Width * Height * 3);

    public static async Task<Clip> ReadAsync(byte[] mp4, int width, int height)
    {
        var folder = Directory.CreateTempSubdirectory("renderfarm-clip-");
        try
        {
            var path = Path.Combine(folder.FullName, "clip.mp4");
            await File.WriteAllBytesAsync(path, mp4);
            var clip = new Clip(width, height, await FfmpegAsync(["-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], []));
            return clip.Frames > 0 && clip.Pixels.Length % (width * height * 3) == 0
                ? clip
                : throw new InvalidDataException($"{clip.Pixels.Length} bytes are no {width}x{height} video");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>A frame as a PNG file.</summary>
    public async Task<byte[]> PngAsync(int frame) =>
        await FfmpegAsync(
            [
                "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
                string.Create(CultureInfo.InvariantCulture, $"{Width}x{Height}"),
                "-i", "-", "-f", "image2pipe", "-c:v", "png", "-",
            ],
            Frame(frame).ToArray()
        );

    private static async Task<byte[]> FfmpegAsync(string[] arguments, byte[] input)
    {
        var start = new ProcessStartInfo("ffmpeg")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])["-v", "error", .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        using var output = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        await process.StandardInput.BaseStream.WriteAsync(input);
        process.StandardInput.Close();
        await reading;
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output.ToArray() : throw new InvalidDataException($"ffmpeg: {(await errors).Trim()}");
    }
}
