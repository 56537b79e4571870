using System.Buffers.Binary;

namespace RenderFarm.Api.Inputs.Formats;

/// <summary>JPEG: markers, each with a segment, until the first scan; the end is marked too.</summary>
internal static class Jpeg
{
    private const byte StartOfScan = 0xDA;
    private const byte EndOfImage = 0xD9;
    private const byte App1 = 0xE1;

    public static bool Is(ReadOnlySpan<byte> file) => file.StartsWith<byte>([0xFF, 0xD8, 0xFF]);

    public static PictureInfo Read(ReadOnlySpan<byte> file)
    {
        var width = 0;
        var height = 0;
        var turned = false;
        for (var at = 2; ;)
        {
            while (file[at] == 0xFF && file[at + 1] == 0xFF)
            {
                at++; // Fill bytes
            }

            if (file[at] != 0xFF)
            {
                throw new PictureFaultException("is a damaged JPEG: a marker is missing");
            }

            var (marker, length) = (file[at + 1], BinaryPrimitives.ReadUInt16BigEndian(file[(at + 2)..]));
            if (length < 2)
            {
                throw new PictureFaultException("is a damaged JPEG: a segment without a length");
            }

            var segment = file.Slice(at + 4, length - 2);
            if (IsFrame(marker))
            {
                (height, width) = (BinaryPrimitives.ReadUInt16BigEndian(segment[1..]), BinaryPrimitives.ReadUInt16BigEndian(segment[3..]));
                PictureHeader.RequireSize(width, height);
            }
            else if (marker == App1 && segment.StartsWith("Exif\0\0"u8))
            {
                turned |= Exif.IsTurned(segment[6..]);
            }
            else if (marker == StartOfScan)
            {
                return width > 0 && file[(at + 4)..].LastIndexOf<byte>([0xFF, EndOfImage]) >= 0
                    ? turned
                        ? new PictureInfo("image/jpeg", height, width)
                        : new PictureInfo("image/jpeg", width, height)
                    : throw new PictureFaultException("is cut short; send the whole file");
            }

            at += 2 + length;
        }
    }

    /// <summary>Every kind of frame header; between them lie tables (C4, C8, CC).</summary>
    private static bool IsFrame(byte marker) => marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC);
}
