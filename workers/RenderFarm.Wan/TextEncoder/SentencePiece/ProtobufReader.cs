using System.Buffers.Binary;
using System.Text;

namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>
/// Reads the fields of one protobuf message in order. Every length is checked against what is left, so a
/// broken or hostile file ends in a <see cref="SentencePieceFormatException"/> and never in a wild read.
/// </summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message, string name)
{
    private ReadOnlySpan<byte> _rest = message;
    private WireType _wire;

    private enum WireType
    {
        Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
    }

    /// <summary>Number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field; its value has to be read or skipped before the one after.</summary>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var tag = RawVarint();
        Field = (int)(tag >> 3);
        _wire = (WireType)(tag & 7);
        if (tag >> 3 is 0 or > 0x1FFFFFFF)
        {
            throw Broken("has an impossible number");
        }

        return true;
    }

    public long Varint()
    {
        Expect(WireType.Varint);
        return (long)RawVarint();
    }

    public bool Bool() => Varint() != 0;

    public float Float()
    {
        Expect(WireType.Fixed32);
        return BinaryPrimitives.ReadSingleLittleEndian(Take(4));
    }

    public ReadOnlySpan<byte> Bytes()
    {
        Expect(WireType.Bytes);
        var length = RawVarint();
        return Take(length > int.MaxValue ? int.MaxValue : (int)length);
    }

    public string Text()
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Bytes());
        }
        catch (DecoderFallbackException)
        {
            throw Broken("is not valid UTF-8");
        }
    }

    public void Skip()
    {
        switch (_wire)
        {
            case WireType.Varint:
                RawVarint();
                break;
            case WireType.Fixed64:
                Take(8);
                break;
            case WireType.Fixed32:
                Take(4);
                break;
            case WireType.Bytes:
                Bytes();
                break;
            default:
                throw Broken($"has the unknown wire type {(int)_wire}");
        }
    }

    private ulong RawVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Take(1)[0];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Broken("holds a number of more than 64 bits");
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            throw Broken($"wants {count} more bytes where {_rest.Length} are left");
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private readonly void Expect(WireType wire)
    {
        if (_wire != wire)
        {
            throw Broken($"has wire type {(int)_wire} instead of {(int)wire}");
        }
    }

    private readonly SentencePieceFormatException Broken(string what) => new($"{name}, field {Field} {what}");
}
