using System.Buffers.Binary;

namespace RenderFarm.Api.Inputs.Formats;

/// <summary>The one thing that is wanted of a camera's notes: whether the picture lies on its side.</summary>
internal static class Exif
{
    private const ushort Orientation = 0x0112,
        Short = 3;

    /// <param name="tiff">From the byte order on. Notes that make no sense turn nothing: they are not worth refusing a picture for.</param>
    public static bool IsTurned(ReadOnlySpan<byte> tiff)
    {
        if (tiff.Length < 8 || !(tiff.StartsWith("II*\0"u8) || tiff.StartsWith("MM\0*"u8)))
        {
            return false;
        }

        var little = tiff[0] == 'I';
        var at = UInt32(tiff[4..], little);
        if (at > tiff.Length - 2)
        {
            return false;
        }

        var entries = UInt16(tiff[(int)at..], little);
        for (var i = 0; i < entries && at + 2 + ((i + 1L) * 12) <= tiff.Length; i++)
        {
            var entry = tiff.Slice((int)at + 2 + (i * 12), 12);
            if (UInt16(entry, little) == Orientation && UInt16(entry[2..], little) == Short)
            {
                return UInt16(entry[8..], little) is >= 5 and <= 8;
            }
        }

        return false;
    }

    private static ushort UInt16(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(data) : BinaryPrimitives.ReadUInt16BigEndian(data);

    private static uint UInt32(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(data) : BinaryPrimitives.ReadUInt32BigEndian(data);
}
