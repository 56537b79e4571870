using System.Buffers.Binary;
using System.IO.Compression;

namespace RenderFarm.Api.Inputs.Formats;

/// <summary>PNG: a signature and chunks, of which IHDR is the first, IEND the last, and IDAT hold one zlib stream.</summary>
internal static class Png
{
    private const int Idat = 0x49444154;
    private const int Ihdr = 0x49484452;
    private const int Iend = 0x49454E44;
    private const int Exif = 0x65584966;
    private static ReadOnlySpan<byte> Signature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    public static bool Is(ReadOnlySpan<byte> file) => file.StartsWith(Signature);

    public static PictureInfo Read(ReadOnlySpan<byte> file)
    {
        var header = Chunk(file, Signature.Length, out var at);
        if (header.Type != Ihdr || header.Data.Length != 13)
        {
            throw new PictureFaultException("is a damaged PNG: its header is missing");
        }

        var (width, height) = (BinaryPrimitives.ReadInt32BigEndian(header.Data), BinaryPrimitives.ReadInt32BigEndian(header.Data[4..]));
        PictureHeader.RequireSize(width, height);
        var bytes = PixelBytes(width, height, bits: header.Data[8], colour: header.Data[9], interlaced: header.Data[12] == 1);
        using var pixels = new MemoryStream();
        var turned = false;
        for (var chunk = Chunk(file, at, out at); chunk.Type != Iend; chunk = Chunk(file, at, out at))
        {
            if (chunk.Type == Idat)
            {
                pixels.Write(chunk.Data);
            }

            turned |= chunk.Type == Exif && Formats.Exif.IsTurned(chunk.Data);
        }

        RequirePixels(pixels, bytes);
        return turned ? new PictureInfo("image/png", height, width) : new PictureInfo("image/png", width, height);
    }

    /// <summary>Throws out-of-range where the file ends too soon.</summary>
    private static PngChunk Chunk(ReadOnlySpan<byte> file, int at, out int next)
    {
        var length = BinaryPrimitives.ReadInt32BigEndian(file[at..]);
        var type = BinaryPrimitives.ReadInt32BigEndian(file[(at + 4)..]);
        var data = file.Slice(at + 8, length);
        next = at + 8 + length + 4;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(next, file.Length);
        return new PngChunk(type, data);
    }

    /// <summary>Bytes of all rows, each with its filter byte; in the seven passes where interlaced.</summary>
    private static long PixelBytes(int width, int height, int bits, int colour, bool interlaced)
    {
        var channels = colour switch
        {
            0 or 3 => 1,
            2 => 3,
            4 => 2,
            6 => 4,
            _ => throw new PictureFaultException($"is a damaged PNG: there is no colour type {colour}"),
        };
        if (bits is not (1 or 2 or 4 or 8 or 16))
        {
            throw new PictureFaultException($"is a damaged PNG: there is no bit depth {bits}");
        }

        return interlaced
            ? Pass(8, 8, 0, 0)
                + Pass(8, 8, 4, 0)
                + Pass(4, 8, 0, 4)
                + Pass(4, 4, 2, 0)
                + Pass(2, 4, 0, 2)
                + Pass(2, 2, 1, 0)
                + Pass(1, 2, 0, 1)
            : Rows(width, height);

        long Pass(int dx, int dy, int x, int y) => Rows((width - x + dx - 1) / dx, (height - y + dy - 1) / dy);

        long Rows(int w, int h) => w <= 0 || h <= 0 ? 0 : h * (1 + ((((long)w * channels * bits) + 7) / 8));
    }

    /// <summary>Unpacks without keeping, up to what the size allows: a bomb is noticed at its first byte too many.</summary>
    private static void RequirePixels(MemoryStream packed, long expected)
    {
        packed.Position = 0;
        using var unpacked = new ZLibStream(packed, CompressionMode.Decompress);
        var buffer = new byte[1 << 16];
        long total = 0;
        try
        {
            for (int read; total <= expected && (read = unpacked.Read(buffer)) > 0;)
            {
                total += read;
            }
        }
        catch (InvalidDataException)
        {
            throw new PictureFaultException("is a damaged PNG: its pixels can't be unpacked");
        }

        if (total != expected)
        {
            throw new PictureFaultException(
                total > expected ? "is a damaged PNG: it unpacks to more pixels than its size has" : "is a damaged PNG: pixels are missing"
            );
        }
    }

    private readonly ref struct PngChunk(int type, ReadOnlySpan<byte> data)
    {
        public int Type { get; } = type;
        public ReadOnlySpan<byte> Data { get; } = data;
    }
}
