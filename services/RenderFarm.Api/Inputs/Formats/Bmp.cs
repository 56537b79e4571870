using System.Buffers.Binary;

namespace RenderFarm.Api.Inputs.Formats;

/// <summary>BMP: plain rows at an offset. Packed ones are so rare that they are left to who wants to attack a decoder.</summary>
internal static class Bmp
{
    private const int InfoHeader = 40;

    public static bool Is(ReadOnlySpan<byte> file) => file.StartsWith("BM"u8);

    public static PictureInfo Read(ReadOnlySpan<byte> file)
    {
        if (BinaryPrimitives.ReadInt32LittleEndian(file[14..]) < InfoHeader)
        {
            throw new PictureFaultException("is a BMP of a kind that is not read; send PNG");
        }

        var (width, height) = (BinaryPrimitives.ReadInt32LittleEndian(file[18..]), BinaryPrimitives.ReadInt32LittleEndian(file[22..]));
        height = height < 0 && height > int.MinValue ? -height : height; // Rows from the top
        PictureHeader.RequireSize(width, height);
        var bits = BinaryPrimitives.ReadUInt16LittleEndian(file[28..]);
        if (BinaryPrimitives.ReadInt32LittleEndian(file[30..]) is not (0 or 3) || bits is not (1 or 4 or 8 or 16 or 24 or 32))
        {
            throw new PictureFaultException("is a BMP of a kind that is not read; send PNG");
        }

        var rows = height * ((((long)width * bits) + 31) / 32 * 4);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(BinaryPrimitives.ReadUInt32LittleEndian(file[10..]) + rows, file.Length);
        return new PictureInfo("image/bmp", width, height);
    }
}
