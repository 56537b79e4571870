using System.Buffers.Binary;

namespace RenderFarm.Api.Inputs.Formats;

/// <summary>WebP: a RIFF of chunks; VP8X (if any) names a canvas, VP8 or VP8L the picture on it.</summary>
internal static class WebP
{
    public static bool Is(ReadOnlySpan<byte> file) => file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8);

    public static PictureInfo Read(ReadOnlySpan<byte> file)
    {
        var end = BinaryPrimitives.ReadUInt32LittleEndian(file[4..]) + 8L;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, file.Length);
        (int Width, int Height)? canvas = null,
            picture = null;
        var turned = false;
        for (var at = 12L; at + 8 <= end;)
        {
            var name = file.Slice((int)at, 4);
            var length = BinaryPrimitives.ReadUInt32LittleEndian(file[(int)(at + 4)..]);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(at + 8 + length, end);
            var data = file.Slice((int)at + 8, (int)length);
            if (name.SequenceEqual("VP8X"u8))
            {
                canvas = (1 + UInt24(data[4..]), 1 + UInt24(data[7..]));
            }
            else if (name.SequenceEqual("VP8 "u8))
            {
                picture ??= Lossy(data);
            }
            else if (name.SequenceEqual("VP8L"u8))
            {
                picture ??= Lossless(data);
            }
            else if (name.SequenceEqual("ANMF"u8))
            {
                throw new PictureFaultException("is an animated WebP; send a single picture");
            }
            else if (name.SequenceEqual("EXIF"u8))
            {
                turned |= Exif.IsTurned(data.StartsWith("Exif\0\0"u8) ? data[6..] : data);
            }

            at += 8 + length + (length & 1);
        }

        var (width, height) = picture ?? throw new PictureFaultException("is a damaged WebP: there is no picture in it");
        if (canvas is { } size && size != (width, height))
        {
            throw new PictureFaultException($"is a damaged WebP: its canvas is {size.Width}x{size.Height}, its picture {width}x{height}");
        }

        return turned ? new PictureInfo("image/webp", height, width) : new PictureInfo("image/webp", width, height);
    }

    private static (int, int) Lossy(ReadOnlySpan<byte> data)
    {
        if (!data[3..].StartsWith<byte>([0x9D, 0x01, 0x2A]))
        {
            throw new PictureFaultException("is a damaged WebP: its first frame has no start code");
        }

        return (BinaryPrimitives.ReadUInt16LittleEndian(data[6..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(data[8..]) & 0x3FFF);
    }

    private static (int, int) Lossless(ReadOnlySpan<byte> data)
    {
        if (data[0] != 0x2F)
        {
            throw new PictureFaultException("is a damaged WebP: its lossless picture has no signature");
        }

        var bits = BinaryPrimitives.ReadUInt32LittleEndian(data[1..]);
        return (1 + (int)(bits & 0x3FFF), 1 + (int)((bits >> 14) & 0x3FFF));
    }

    private static int UInt24(ReadOnlySpan<byte> data) => data[0] | (data[1] << 8) | (data[2] << 16);
}
