using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>
/// A first look at JSON, byte by byte and without keeping any: how many tokens a tree of it would have, and where the strings lie that
/// may stay there.
/// Whether it is JSON at all is seen by who reads the rest.
/// </summary>
internal sealed class JsonScan(BodyShape shape)
{
    private const int MostLongTexts = 8;
    private readonly List<TextRange> _texts = [];
    private long _at;
    private long _textBegan = -1;
    private bool _escaped;
    private bool _mayBeName;
    private int _tokens;
    private int _longTexts;
    private long _longBytes;

    /// <summary>Their contents, without their quotes, in the order in which they come.</summary>
    public IReadOnlyList<TextRange> Texts => _texts;

    /// <exception cref="ApiErrorException">400: there is more of it than any request has.</exception>
    public static JsonScan Of(BodyBytes body, BodyShape shape)
    {
        var scan = new JsonScan(shape);
        if (body.Memory is { } bytes)
        {
            scan.See(bytes.Span);
        }
        else
        {
            scan.See(body);
        }

        var tree = body.Length - scan._longBytes;
        return tree <= shape.MaxTreeBytes
            ? scan
            : throw ApiError
                .Malformed($"The body has {tree} bytes of JSON besides its pictures; at most {shape.MaxTreeBytes} are accepted.")
                .AsException();
    }

    private void See(BodyBytes body)
    {
        using var stream = body.Open();
        var buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            See(buffer.AsSpan(0, read));
        }
    }

    private void See(ReadOnlySpan<byte> bytes)
    {
        foreach (var one in bytes)
        {
            if (_textBegan >= 0)
            {
                SeeText(one);
            }
            else if (one == '"')
            {
                (_textBegan, _escaped) = (_at + 1, false);
                Count();
            }
            else if (one is (byte)',' or (byte)':' or (byte)'[' or (byte)'{')
            {
                SeeMark(one);
            }

            _at++;
        }
    }

    private void SeeText(byte one)
    {
        if (_escaped)
        {
            _escaped = false;
        }
        else if (one == '\\')
        {
            _escaped = true;
        }
        else if (one == '"')
        {
            Keep(new TextRange(_textBegan, _at - _textBegan));
            _textBegan = -1;
        }
    }

    private void Keep(TextRange text)
    {
        if (text.Length <= shape.MayStayAbove)
        {
            return;
        }

        _texts.Add(text);
        if (!text.IsLong)
        {
            _mayBeName = true;
            return;
        }

        _longBytes += text.Length;
        if (++_longTexts > MostLongTexts)
        {
            throw ApiError.Malformed($"The body has more than {MostLongTexts} strings above {BodyShape.LongText} bytes.").AsException();
        }
    }

    private void SeeMark(byte mark)
    {
        if (_mayBeName && mark == ':')
        {
            _texts.RemoveAt(_texts.Count - 1); // Names belong to the tree
        }

        _mayBeName = false;
        Count();
    }

    private void Count()
    {
        if (++_tokens > shape.MaxTokens)
        {
            throw ApiError
                .Malformed($"The body has more than {shape.MaxTokens} values, names and brackets; no request has as many.")
                .AsException();
        }
    }
}

/// <summary>A part of a body, in bytes.</summary>
internal readonly record struct TextRange(long From, long Length)
{
    /// <summary>No field's but a picture's.</summary>
    public bool IsLong => Length > BodyShape.LongText;
}
