using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using System.Text.Json;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>An MP4 as ffprobe reads it.</summary>
public sealed record VideoFile(JsonElement Stream, JsonElement Format, List<string> Boxes)
{
    public int Width => Stream.GetProperty("width").GetInt32();
    public int Height => Stream.GetProperty("height").GetInt32();

    /// <summary>Counted by decoding, not taken from the header.</summary>
    public int Frames => int.Parse(Stream.GetProperty("nb_read_frames").GetString()!, System.Globalization.CultureInfo.InvariantCulture);
    public string FrameRate => Text("r_frame_rate");

    public string Text(string member) => Stream.GetProperty(member).GetString()!;

    public string Tag(string name) => Format.GetProperty("tags").GetProperty(name).GetString()!;

    public static async Task<VideoFile> ProbeAsync(string path)
    {
        var start = new ProcessStartInfo("ffprobe") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in new[] { "-v", "error", "-count_frames", "-show_streams", "-show_format", "-of", "json", path })
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var json = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, $"ffprobe can't read {path}: {await errors}");
        var root = JsonDocument.Parse(json).RootElement;
        return new VideoFile(Assert.Single(root.GetProperty("streams").EnumerateArray()), root.GetProperty("format"), TopLevelBoxes(path));
    }

    // Size (4 bytes) and name (4 bytes); size 1 means that 8 bytes of size follow
    private static List<string> TopLevelBoxes(string path)
    {
        using var file = File.OpenRead(path);
        var boxes = new List<string>();
        var header = new byte[16];
        for (long at = 0; at + 8 <= file.Length;)
        {
            file.Position = at;
            file.ReadAtLeast(header, 16, throwOnEndOfStream: false);
            long size = BinaryPrimitives.ReadUInt32BigEndian(header);
            boxes.Add(Encoding.ASCII.GetString(header, 4, 4));
            at += size == 1 ? BinaryPrimitives.ReadInt64BigEndian(header.AsSpan(8)) : Math.Max(size, 8);
        }
        return boxes;
    }
}
