using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using static TorchSharp.torch;

namespace RenderFarm.Training.Looks;

/// <summary>Clips as one picture: a row for each, frames from left to right.</summary>
internal static class PngSheet
{
    /// <param name="clips">Float32 [B, 3, F, H, W] in [0, 1].</param>
    public static void Write(string path, Tensor clips, int rows, int columns)
    {
        using var scope = NewDisposeScope();
        var frames = clips.shape[2];
        var lines = Enumerable
            .Range(0, (int)Math.Min(rows, clips.shape[0]))
            .Select(row =>
                cat(
                    Enumerable
                        .Range(0, columns)
                        .Select(column => clips[row].select(1, columns == 1 ? 0 : column * (frames - 1) / (columns - 1)))
                        .ToList(),
                    2
                )
            )
            .ToList();
        var sheet = cat(lines, 1).clamp(0, 1).mul(255).round().to(ScalarType.Byte).permute(1, 2, 0).cpu().contiguous();
        Write(path, sheet.bytes, (int)sheet.shape[1], (int)sheet.shape[0]);
    }

    private static void Write(string path, ReadOnlySpan<byte> rgb, int width, int height)
    {
        using var pixels = new MemoryStream();
        using (var deflate = new ZLibStream(pixels, CompressionLevel.Optimal, leaveOpen: true))
        {
            for (var y = 0; y < height; y++)
            {
                deflate.WriteByte(0); // No filter
                deflate.Write(rgb.Slice(y * width * 3, width * 3));
            }
        }
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        (header[8], header[9]) = (8, 2); // Eight bits, RGB
        using var file = File.Create(path);
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Chunk(file, "IHDR", header);
        Chunk(file, "IDAT", pixels.GetBuffer().AsSpan(0, (int)pixels.Length));
        Chunk(file, "IEND", []);
    }

    private static void Chunk(Stream file, string type, ReadOnlySpan<byte> data)
    {
        byte[] body = [.. Encoding.ASCII.GetBytes(type), .. data];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(body));
        file.Write(number);
    }

    private static uint Crc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
            }
        }
        return ~crc;
    }
}
