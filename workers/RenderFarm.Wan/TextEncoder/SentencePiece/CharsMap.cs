using System.Buffers.Binary;
using System.Text;

namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>
/// The precompiled normalisation rules of a model: <c>[uint32 trie bytes][double-array trie][texts, each ended by 0]</c>,
/// little-endian. The trie maps UTF-8 prefixes to offsets into the texts; the longest prefix wins.
/// </summary>
internal sealed class CharsMap
{
    /// <summary>The longest replacement of the Unicode rules has 33 bytes; the bound keeps hostile ones from multiplying text.</summary>
    private const int MaxReplacementBytes = 256;

    private readonly uint[] _units;
    private readonly byte[] _texts;

    public CharsMap(ReadOnlySpan<byte> blob)
    {
        if (blob.Length <= 4)
        {
            throw Broken($"has only {blob.Length} bytes");
        }

        var size = BinaryPrimitives.ReadUInt32LittleEndian(blob);
        if (size == 0 || size % 4 != 0 || size > blob.Length - 4)
        {
            throw Broken($"claims a trie of {size} bytes in {blob.Length}");
        }

        _units = new uint[size / 4];
        for (var i = 0; i < _units.Length; i++)
        {
            _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(blob[(4 + i * 4)..]);
        }

        _texts = blob[(4 + (int)size)..].ToArray();
        CheckReplacements();
    }

    /// <summary>
    /// What the beginning of <paramref name="text"/> becomes, and how many of its bytes that takes. A character without
    /// a rule stays; a byte that is no UTF-8 becomes U+FFFD.
    /// </summary>
    public ReadOnlySpan<byte> NormalizePrefix(ReadOnlySpan<byte> text, out int consumed)
    {
        var (longest, value) = (0, 0);
        var node = Offset(_units[0]);
        for (var i = 0; i < text.Length; i++)
        {
            node ^= text[i];
            if (node >= (uint)_units.Length)
            {
                break;
            }

            var unit = _units[node];
            if (Label(unit) != text[i])
            {
                break;
            }

            node ^= Offset(unit);
            if (!HasLeaf(unit))
            {
                continue;
            }

            if (node >= (uint)_units.Length)
            {
                break;
            }

            if (IsLeaf(_units[node]))
            {
                (longest, value) = (i + 1, (int)(_units[node] & 0x7FFFFFFF));
            }
        }

        if (longest == 0)
        {
            return Unchanged(text, out consumed);
        }

        consumed = longest;
        return Replacement(value);
    }

    /// <summary>The first character as it is.</summary>
    public static ReadOnlySpan<byte> Unchanged(ReadOnlySpan<byte> text, out int consumed)
    {
        if (Rune.DecodeFromUtf8(text, out _, out consumed) == System.Buffers.OperationStatus.Done)
        {
            return text[..consumed];
        }

        consumed = 1;
        return "\uFFFD"u8;
    }

    private ReadOnlySpan<byte> Replacement(int start)
    {
        var rest = _texts.AsSpan(start);
        return rest[..rest.IndexOf((byte)0)];
    }

    /// <summary>Every leaf must point at a text of bearable length; lookups take only leaves that were checked here.</summary>
    private void CheckReplacements()
    {
        var ends = new int[_texts.Length];
        for (int i = _texts.Length - 1, end = -1; i >= 0; i--)
        {
            ends[i] = end = _texts[i] == 0 ? i : end;
        }

        for (uint i = 0; i < _units.Length; i++)
        {
            var unit = _units[i];
            if (IsLeaf(unit) || !HasLeaf(unit))
            {
                continue;
            }

            var leaf = i ^ Offset(unit);
            if (leaf >= _units.Length || !IsLeaf(_units[leaf]))
            {
                continue;
            }

            var value = (int)(_units[leaf] & 0x7FFFFFFF);
            if (value >= _texts.Length || ends[value] < 0)
            {
                throw Broken($"points at text {value} of {_texts.Length} bytes");
            }

            if (ends[value] - value > MaxReplacementBytes)
            {
                throw Broken($"holds a replacement of {ends[value] - value} bytes, at most {MaxReplacementBytes} are taken");
            }
        }
    }

    /// <summary>Holds a value in its lower bits instead of a label and an offset.</summary>
    private static bool IsLeaf(uint unit) => unit >> 31 == 1;

    private static bool HasLeaf(uint unit) => (unit >> 8 & 1) == 1;

    private static uint Label(uint unit) => unit & 0x800000FF;

    private static uint Offset(uint unit) => unit >> 10 << (int)((unit & 0x200) >> 6);

    private static SentencePieceFormatException Broken(string what) => new($"normalizer_spec.precompiled_charsmap {what}");
}
