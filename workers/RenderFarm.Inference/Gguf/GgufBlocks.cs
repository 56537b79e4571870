using System.Runtime.CompilerServices;

namespace RenderFarm.Inference.Gguf;

/// <summary>
/// Decoders of block types, equal to the published ones to the last bit: a block's scale times the group's first, then times the number,
/// then the offset. Scales are halves and may be anything that halves can be.
/// </summary>
internal static unsafe class GgufBlocks
{
    private const int Small = 32;
    private const int Large = 256;
    private static readonly sbyte[] Levels = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    public static void Q4_0(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 18, y += Small)
        {
            var d = Half(block);
            for (var i = 0; i < 16; i++)
            {
                y[i] = d * ((block[2 + i] & 15) - 8);
                y[i + 16] = d * ((block[2 + i] >> 4) - 8);
            }
        }
    }

    public static void Q4_1(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 20, y += Small)
        {
            var (d, m) = (Half(block), Half(block + 2));
            for (var i = 0; i < 16; i++)
            {
                y[i] = (d * (block[4 + i] & 15)) + m;
                y[i + 16] = (d * (block[4 + i] >> 4)) + m;
            }
        }
    }

    public static void Q5_0(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 22, y += Small)
        {
            var (d, high) = (Half(block), Word(block + 2));
            for (var i = 0; i < 16; i++)
            {
                y[i] = d * (((block[6 + i] & 15) | Fifth(high, i)) - 16);
                y[i + 16] = d * (((block[6 + i] >> 4) | Fifth(high, i + 16)) - 16);
            }
        }
    }

    public static void Q5_1(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 24, y += Small)
        {
            var (d, m, high) = (Half(block), Half(block + 2), Word(block + 4));
            for (var i = 0; i < 16; i++)
            {
                y[i] = (d * ((block[8 + i] & 15) | Fifth(high, i))) + m;
                y[i + 16] = (d * ((block[8 + i] >> 4) | Fifth(high, i + 16))) + m;
            }
        }
    }

    public static void Q8_0(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 34, y += Small)
        {
            var d = Half(block);
            for (var i = 0; i < Small; i++)
            {
                y[i] = d * (sbyte)block[2 + i];
            }
        }
    }

    public static void Q2_K(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 84, y += Large)
        {
            var scales = block;
            var qs = block + 16;
            var (d, dmin) = (Half(block + 80), Half(block + 82));
            for (var group = 0; group < 16; group++)
            {
                var (scale, offset) = (d * (scales[group] & 15), dmin * (scales[group] >> 4));
                var q = qs + (32 * (group / 8)) + (16 * (group & 1));
                var shift = group / 2 % 4 * 2;
                for (var i = 0; i < 16; i++)
                {
                    y[(16 * group) + i] = (scale * ((q[i] >> shift) & 3)) - offset;
                }
            }
        }
    }

    public static void Q3_K(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 110, y += Large)
        {
            var mask = block;
            var qs = block + 32;
            var scales = block + 96;
            var d = Half(block + 108);
            for (var group = 0; group < 16; group++)
            {
                var low = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
                var six = low | (((scales[8 + (group % 4)] >> (2 * (group / 4))) & 3) << 4);
                var scale = d * (six - 32);
                var (half, row, part) = (group / 8, group / 2 % 4, 16 * (group & 1));
                var bit = (4 * half) + row;
                for (var i = 0; i < 16; i++)
                {
                    var q = ((qs[(32 * half) + part + i] >> (2 * row)) & 3) - (((mask[part + i] >> bit) & 1) == 0 ? 4 : 0);
                    y[(16 * group) + i] = scale * q;
                }
            }
        }
    }

    public static void Q4_K(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 144, y += Large)
        {
            var (d, dmin) = (Half(block), Half(block + 2));
            for (var group = 0; group < 8; group++)
            {
                var (six, min) = SixBits(block + 4, group);
                var (scale, offset) = (d * six, dmin * min);
                var q = block + 16 + (32 * (group / 2));
                var shift = 4 * (group & 1);
                for (var i = 0; i < 32; i++)
                {
                    y[(32 * group) + i] = (scale * ((q[i] >> shift) & 15)) - offset;
                }
            }
        }
    }

    public static void Q5_K(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 176, y += Large)
        {
            var (d, dmin) = (Half(block), Half(block + 2));
            for (var group = 0; group < 8; group++)
            {
                var (six, min) = SixBits(block + 4, group);
                var (scale, offset) = (d * six, dmin * min);
                var high = block + 16;
                var q = block + 48 + (32 * (group / 2));
                var shift = 4 * (group & 1);
                for (var i = 0; i < 32; i++)
                {
                    y[(32 * group) + i] = (scale * (((q[i] >> shift) & 15) | (((high[i] >> group) & 1) << 4))) - offset;
                }
            }
        }
    }

    public static void Q6_K(byte* block, long blocks, float* y)
    {
        for (; blocks > 0; blocks--, block += 210, y += Large)
        {
            var d = Half(block + 208);
            for (var group = 0; group < 16; group++)
            {
                var scale = d * (sbyte)block[192 + group];
                var (half, row, part) = (group / 8, group / 2 % 4, 16 * (group & 1));
                var low = block + (64 * half) + (32 * (row % 2)) + part;
                var high = block + 128 + (32 * half) + part;
                var shift = row < 2 ? 0 : 4;
                for (var i = 0; i < 16; i++)
                {
                    y[(16 * group) + i] = scale * ((((low[i] >> shift) & 15) | (((high[i] >> (2 * row)) & 3) << 4)) - 32);
                }
            }
        }
    }

    public static void Iq4Nl(byte* block, long blocks, float* y)
    {
        fixed (sbyte* levels = Levels)
        {
            for (; blocks > 0; blocks--, block += 18, y += Small)
            {
                var d = Half(block);
                for (var i = 0; i < 16; i++)
                {
                    y[i] = d * levels[block[2 + i] & 15];
                    y[i + 16] = d * levels[block[2 + i] >> 4];
                }
            }
        }
    }

    public static void Iq4Xs(byte* block, long blocks, float* y)
    {
        fixed (sbyte* levels = Levels)
        {
            for (; blocks > 0; blocks--, block += 136, y += Large)
            {
                var d = Half(block);
                var high = Unsafe.ReadUnaligned<ushort>(block + 2);
                for (var group = 0; group < 8; group++)
                {
                    var six = ((block[4 + (group / 2)] >> (4 * (group & 1))) & 15) | (((high >> (2 * group)) & 3) << 4);
                    var scale = d * (six - 32);
                    var q = block + 8 + (16 * group);
                    var to = y + (32 * group);
                    for (var i = 0; i < 16; i++)
                    {
                        to[i] = scale * levels[q[i] & 15];
                        to[i + 16] = scale * levels[q[i] >> 4];
                    }
                }
            }
        }
    }

    /// <summary>The scale and the minimum of a group of Q4_K and Q5_K, six bits each in twelve bytes.</summary>
    private static (int Scale, int Min) SixBits(byte* packed, int group) =>
        group < 4
            ? (packed[group] & 63, packed[group + 4] & 63)
            : ((packed[group + 4] & 15) | ((packed[group - 4] >> 6) << 4), (packed[group + 4] >> 4) | ((packed[group] >> 6) << 4));

    private static float Half(byte* at) => (float)BitConverter.UInt16BitsToHalf(Unsafe.ReadUnaligned<ushort>(at));

    private static uint Word(byte* at) => Unsafe.ReadUnaligned<uint>(at);

    private static int Fifth(uint high, int element) => (int)((high >> element) & 1) << 4;
}
