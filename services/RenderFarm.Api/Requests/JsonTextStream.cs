namespace RenderFarm.Api.Requests;

/// <summary>The content of a JSON string with its escapes resolved, for text that is to be ASCII.</summary>
internal sealed class JsonTextStream(Stream source, long length) : ForwardStream
{
    /// <summary>In no encoding the beginning of anything.</summary>
    private const byte NoCharacter = 0xFF;
    private readonly byte[] _raw = new byte[1 << 14];
    private long _left = length;
    private int _at;
    private int _end;

    public override int Read(Span<byte> buffer)
    {
        var written = 0;
        while (written < buffer.Length && Next() is >= 0 and var letter)
        {
            buffer[written++] = letter == '\\' ? Escape() : (byte)letter;
        }

        return written;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            source.Dispose();
        }

        base.Dispose(disposing);
    }

    private byte Escape()
    {
        var letter = Next();
        switch (letter)
        {
            case '"' or '\\' or '/':
                return (byte)letter;
            case 'b':
                return (byte)'\b';
            case 'f':
                return (byte)'\f';
            case 'n':
                return (byte)'\n';
            case 'r':
                return (byte)'\r';
            case 't':
                return (byte)'\t';
            case 'u':
                var code = 0;
                for (var i = 0; i < 4; i++)
                {
                    code = (code << 4) | Hex(Next());
                }

                return code < 0x80 ? (byte)code : NoCharacter;
            default:
                return NoCharacter;
        }
    }

    /// <summary>What is no digit makes a code that no ASCII letter has.</summary>
    private static int Hex(int letter) =>
        letter >= 0 && char.IsAsciiHexDigit((char)letter) ? Convert.ToInt32(((char)letter).ToString(), 16) : 1 << 20;

    /// <returns>−1 at the end.</returns>
    private int Next()
    {
        if (_at == _end)
        {
            (_at, _end) = (0, _left == 0 ? 0 : source.Read(_raw.AsSpan(0, (int)Math.Min(_raw.Length, _left))));
            _left -= _end;
            if (_end == 0)
            {
                return -1;
            }
        }

        return _raw[_at++];
    }
}
