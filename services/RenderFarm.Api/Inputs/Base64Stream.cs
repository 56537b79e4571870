using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Inputs;

/// <summary>Decodes base64 as it is read. Blanks are passed over; some clients escape '+', '/' and '=' as in a URL.</summary>
internal sealed class Base64Stream(Stream text) : ForwardStream
{
    private const int Blank = -1;
    private const int Padding = -2;
    private readonly byte[] _letters = new byte[1 << 14];
    private readonly byte[] _group = new byte[3];
    private int _at;
    private int _end;
    private int _groupAt;
    private int _groupEnd;
    private bool _padded;

    public override int Read(Span<byte> buffer)
    {
        var written = 0;
        while (written < buffer.Length && (_groupAt < _groupEnd || NextGroup()))
        {
            buffer[written++] = _group[_groupAt++];
        }

        return written;
    }

    /// <summary>Four letters are three bytes; the last group has one or two letters of padding where there are fewer.</summary>
    private bool NextGroup()
    {
        var (bits, letters, padding) = (0, 0, 0);
        while (letters + padding < 4)
        {
            var letter = Next();
            if (letter < 0)
            {
                return letters + padding == 0 ? false : throw NotBase64();
            }

            switch (ValueOf((byte)letter))
            {
                case Blank:
                    break;
                case Padding when letters >= 2:
                    padding++;
                    break;
                case >= 0 and var value when padding == 0 && !_padded:
                    (bits, letters) = ((bits << 6) | value, letters + 1);
                    break;
                default:
                    throw NotBase64();
            }
        }

        bits <<= 6 * padding;
        (_group[0], _group[1], _group[2]) = ((byte)(bits >> 16), (byte)(bits >> 8), (byte)bits);
        (_groupAt, _groupEnd, _padded) = (0, 3 - padding, padding > 0);
        return true;
    }

    private static int ValueOf(byte letter) =>
        letter switch
        {
            >= (byte)'A' and <= (byte)'Z' => letter - 'A',
            >= (byte)'a' and <= (byte)'z' => letter - 'a' + 26,
            >= (byte)'0' and <= (byte)'9' => letter - '0' + 52,
            (byte)'+' => 62,
            (byte)'/' => 63,
            (byte)'=' => Padding,
            (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n' => Blank,
            _ => throw NotBase64(),
        };

    private int Next()
    {
        var letter = NextRaw();
        return letter == '%' ? (Hex(NextRaw()) << 4) | Hex(NextRaw()) : letter;
    }

    private static int Hex(int letter) =>
        letter >= 0 && char.IsAsciiHexDigit((char)letter) ? Convert.ToInt32(((char)letter).ToString(), 16) : throw NotBase64();

    /// <returns>−1 at the end.</returns>
    private int NextRaw()
    {
        if (_at == _end)
        {
            (_at, _end) = (0, text.Read(_letters));
            if (_end == 0)
            {
                return -1;
            }
        }

        return _letters[_at++];
    }

    private static FormatException NotBase64() => new("holds text that is not base64");
}
