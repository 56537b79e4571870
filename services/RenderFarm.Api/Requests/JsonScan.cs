using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>
/// A first look at JSON, byte by byte and without keeping any: how many tokens a tree of it would have, and where its long strings lie.
/// Whether it is JSON at all is seen by who reads the rest.
/// </summary>
internal sealed class JsonScan(BodyShape shape)
{
    private const int MostLongTexts = 8;
    private readonly List<TextRange> _longTexts = [];
    private long _at;
    private long _textBegan = -1;
    private bool _escaped;
    private int _tokens;

    /// <summary>Contents of long strings, without their quotes, in the order in which they come.</summary>
    public IReadOnlyList<TextRange> LongTexts => _longTexts;

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

        var tree = body.Length - scan.LongTexts.Sum(text => text.Length);
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
                Count();
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
            if (_at - _textBegan > BodyShape.LongText)
            {
                _longTexts.Add(new TextRange(_textBegan, _at - _textBegan));
                if (_longTexts.Count > MostLongTexts)
                {
                    throw ApiError
                        .Malformed($"The body has more than {MostLongTexts} strings above {BodyShape.LongText} bytes.")
                        .AsException();
                }
            }

            _textBegan = -1;
        }
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
internal readonly record struct TextRange(long From, long Length);
