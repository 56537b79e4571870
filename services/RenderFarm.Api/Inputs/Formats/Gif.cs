using System.Buffers.Binary;

namespace RenderFarm.Api.Inputs.Formats;

/// <summary>GIF: a screen and blocks on it; the first picture is what counts.</summary>
internal static class Gif
{
    private const byte Picture = 0x2C;
    private const byte Extension = 0x21;

    public static bool Is(ReadOnlySpan<byte> file) => file.StartsWith("GIF87a"u8) || file.StartsWith("GIF89a"u8);

    public static PictureInfo Read(ReadOnlySpan<byte> file)
    {
        var (width, height) = Size(file[6..]);
        PictureHeader.RequireSize(width, height);
        var at = 13 + ColourTable(file[10]);
        while (file[at] == Extension)
        {
            at = AfterBlocks(file, at + 2);
        }

        if (file[at] != Picture)
        {
            throw new PictureFaultException("is a damaged GIF: there is no picture in it");
        }

        var (left, top) = Size(file[(at + 1)..]);
        var (across, down) = Size(file[(at + 5)..]);
        if (left + across > width || top + down > height)
        {
            throw new PictureFaultException("is a damaged GIF: its picture lies outside of its screen");
        }

        AfterBlocks(file, at + 10 + ColourTable(file[at + 9]) + 1);
        return new PictureInfo("image/gif", width, height);
    }

    private static (int, int) Size(ReadOnlySpan<byte> data) =>
        (BinaryPrimitives.ReadUInt16LittleEndian(data), BinaryPrimitives.ReadUInt16LittleEndian(data[2..]));

    private static int ColourTable(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    /// <summary>Past a run of sub-blocks, each with its length before it, and the empty one at its end.</summary>
    private static int AfterBlocks(ReadOnlySpan<byte> file, int at)
    {
        while (file[at] != 0)
        {
            at += 1 + file[at];
        }

        return at + 1;
    }
}
