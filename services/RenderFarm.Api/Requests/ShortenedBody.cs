using System.Security.Cryptography;

namespace RenderFarm.Api.Requests;

/// <summary>A body without its long strings: in the place of each is an empty one.</summary>
/// <param name="longTexts">In the order in which they come.</param>
internal sealed class ShortenedBody(BodyBytes body, IReadOnlyList<TextRange> longTexts) : ForwardStream
{
    private readonly Stream _whole = body.Open();
    private readonly Dictionary<long, LongText> _leftOut = [];
    private int _passed;
    private long _at;
    private long _given;

    /// <summary>What is missing from the string whose quote is at this place of what was read; null for a string that is whole.</summary>
    public LongText? LeftOut(long place) => _leftOut.GetValueOrDefault(place);

    public override int Read(Span<byte> buffer)
    {
        while (_passed < longTexts.Count && longTexts[_passed] is var text && text.From == _at)
        {
            // It begins behind its quote
            _leftOut[_given - 1] = new LongText(body, text, Digest(text.Length));
            _at += text.Length;
            _passed++;
        }

        var most = _passed == longTexts.Count ? buffer.Length : (int)Math.Min(buffer.Length, longTexts[_passed].From - _at);
        var read = _whole.Read(buffer[..most]);
        _at += read;
        _given += read;
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _whole.Dispose();
        }

        base.Dispose(disposing);
    }

    private string Digest(long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        for (var left = length; left > 0;)
        {
            var read = _whole.ReadAtLeast(buffer.AsSpan(0, (int)Math.Min(buffer.Length, left)), 1);
            hash.AppendData(buffer, 0, read);
            left -= read;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
