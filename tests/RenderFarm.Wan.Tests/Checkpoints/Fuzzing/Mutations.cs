using System.Buffers.Binary;

namespace RenderFarm.Wan.Tests.Checkpoints.Fuzzing;

/// <summary>Damage to bytes, the same for the same seed.</summary>
internal static class Mutations
{
    private static readonly long[] Telling =
    [
        0, 1, -1, 7, 8, 255,
        1 << 16,
        int.MaxValue,
        int.MinValue,
        1L << 40,
        long.MaxValue,
        long.MinValue,
    ];
    private static readonly byte[][] Words =
    [
        .. new[] { "1000000000", "-1", "1e9", "{", "}", "[", "]", "\"", "\\ud800", "null", "F8_E4M3", "U8", "R", "c", "." }.Select(
            System.Text.Encoding.ASCII.GetBytes
        ),
    ];

    public static byte[] Of(byte[] original, int seed)
    {
        var random = new Random(seed);
        var bytes = original.ToList();
        for (var i = random.Next(1, 5); i > 0; i--)
        {
            Once(bytes, random);
        }

        return [.. bytes];
    }

    private static void Once(List<byte> bytes, Random random)
    {
        var at = random.Next(bytes.Count + 1);
        var left = bytes.Count - at;
        switch (random.Next(7))
        {
            case 0 when left > 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1 when left > 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:
                bytes.RemoveRange(at, random.Next(left + 1));
                break;
            case 3 when left > 0:
                bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, random.Next(1, Math.Min(left, 64) + 1)));
                break;
            case 4 when left >= 8:
                var number = new byte[8];
                BinaryPrimitives.WriteInt64LittleEndian(number, Telling[random.Next(Telling.Length)]);
                for (var i = 0; i < (random.Next(2) == 0 ? 4 : 8); i++)
                {
                    bytes[at + i] = number[i];
                }

                break;
            case 5:
                bytes.InsertRange(at, Words[random.Next(Words.Length)]);
                break;
            case 6 when bytes.FindIndex(at, value => value is >= (byte)'0' and <= (byte)'9') is >= 0 and var digit:
                bytes.RemoveAt(digit);
                bytes.InsertRange(digit, Words[random.Next(3)]);
                break;
        }
    }
}
