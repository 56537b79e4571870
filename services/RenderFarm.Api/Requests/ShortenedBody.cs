namespace RenderFarm.Api.Requests;

/// <summary>A body without some of its strings: in the place of each is an empty one.</summary>
/// <param name="texts">What is left out, in the order in which it comes.</param>
internal sealed class ShortenedBody(BodyBytes body, IReadOnlyList<TextRange> texts) : ForwardStream
{
    private readonly Stream _whole = body.Open();
    private readonly Queue<(long Place, TextRange Text)> _leftOut = [];
    private int _passed;
    private long _at;
    private long _given;

    /// <summary>
    /// What is missing from the string whose quote is at this place of what was read; null for a string that is whole. Places are asked
    /// for from the beginning on.
    /// </summary>
    public TextRange? LeftOut(long place)
    {
        while (_leftOut.TryPeek(out var next) && next.Place <= place)
        {
            _leftOut.Dequeue();
            if (next.Place == place)
            {
                return next.Text;
            }
        }

        return null;
    }

    public override int Read(Span<byte> buffer)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            while (_passed < texts.Count && texts[_passed] is var text && text.From == _at)
            {
                // It begins behind its quote
                _leftOut.Enqueue((_given - 1, text));
                _at = _whole.Seek(text.Length, SeekOrigin.Current);
                _passed++;
            }

            var rest = buffer[filled..];
            var most = _passed == texts.Count ? rest.Length : (int)Math.Min(rest.Length, texts[_passed].From - _at);
            var read = _whole.Read(rest[..most]);
            if (read == 0)
            {
                break;
            }

            filled += read;
            _at += read;
            _given += read;
        }

        return filled;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _whole.Dispose();
        }

        base.Dispose(disposing);
    }
}
