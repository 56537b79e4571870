using System.Text;

namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>A piece of some text: its id and its spelling.</summary>
public readonly record struct Token(int Id, string Text);

/// <summary>
/// Text to piece ids, equal to SentencePiece's Unigram encoder on the same <c>.model</c> file. Takes any string;
/// the work grows with its length only. Safe for concurrent use.
/// </summary>
public sealed class SentencePieceTokenizer
{
    private const string WordMark = "▁";

    private readonly SentencePieceModel _model;
    private readonly TextNormalizer _normalizer;
    private readonly UnigramSegmenter _segmenter;
    private readonly int[] _byteIds = new int[256];

    /// <exception cref="SentencePieceFormatException">The normalisation rules are broken.</exception>
    public SentencePieceTokenizer(SentencePieceModel model)
    {
        _model = model;
        _normalizer = new TextNormalizer(model);
        _segmenter = new UnigramSegmenter(model);
        if (!model.ByteFallback)
        {
            return;
        }

        var ids = model
            .Pieces.Select((piece, id) => (piece, id))
            .Where(entry => entry.piece.Type == PieceType.Byte)
            .ToDictionary(entry => entry.piece.Text, entry => entry.id);
        for (var value = 0; value < 256; value++)
        {
            _byteIds[value] = ids[SentencePieceModel.ByteText(value)];
        }
    }

    /// <summary>Loads <c>spiece.model</c>.</summary>
    /// <exception cref="SentencePieceFormatException">The message names the file and the field.</exception>
    public static SentencePieceTokenizer Load(string path)
    {
        try
        {
            return new SentencePieceTokenizer(SentencePieceModelReader.Read(path));
        }
        catch (SentencePieceFormatException error) when (error.InnerException is null)
        {
            throw new SentencePieceFormatException($"'{path}' is not a usable SentencePiece model: {error.Message}.", error);
        }
    }

    public int VocabularySize => _model.Pieces.Count;

    /// <summary>Id of <c>&lt;/s&gt;</c>, −1 for none.</summary>
    public int EndId => _model.EndId;

    /// <summary>Ids without any start or end piece.</summary>
    public IReadOnlyList<int> Encode(string text) => [.. Tokenize(text).Select(token => token.Id)];

    public IReadOnlyList<Token> Tokenize(string text)
    {
        var normalized = _normalizer.Normalize(text).Span;
        var tokens = new List<Token>(normalized.Length / 3 + 1);
        var unknownStart = -1; // Of a run of unknown characters, which become one token
        foreach (var (id, range) in _segmenter.Segment(normalized))
        {
            var (start, length) = range.GetOffsetAndLength(normalized.Length);
            if (_model.Pieces[id].Type != PieceType.Unknown)
            {
                unknownStart = -1;
                tokens.Add(new Token(id, _model.Pieces[id].Text));
            }
            else if (_model.ByteFallback)
            {
                foreach (var value in normalized.Slice(start, length))
                {
                    tokens.Add(new Token(_byteIds[value], _model.Pieces[_byteIds[value]].Text));
                }
            }
            else if (unknownStart < 0)
            {
                unknownStart = start;
                tokens.Add(new Token(id, Encoding.UTF8.GetString(normalized.Slice(start, length))));
            }
            else
            {
                tokens[^1] = new Token(id, Encoding.UTF8.GetString(normalized[unknownStart..(start + length)]));
            }
        }

        return tokens;
    }

    /// <summary>The text that ids stand for, in normalised form; control pieces stand for nothing.</summary>
    public string Decode(IEnumerable<int> ids)
    {
        using var text = new MemoryStream();
        foreach (var id in ids)
        {
            var piece = _model.Pieces[id];
            if (piece.Type == PieceType.Control)
            {
                continue;
            }

            if (piece.Type == PieceType.Byte)
            {
                text.WriteByte(Convert.ToByte(piece.Text[3..5], 16));
            }
            else
            {
                text.Write(Encoding.UTF8.GetBytes(piece.Text.Replace(WordMark, " ", StringComparison.Ordinal)));
            }
        }

        var decoded = Encoding.UTF8.GetString(text.GetBuffer().AsSpan(0, (int)text.Length));
        if (!_model.AddDummyPrefix)
        {
            return decoded;
        }

        if (_model.WhitespaceAsSuffix)
        {
            return decoded.EndsWith(' ') ? decoded[..^1] : decoded;
        }

        return decoded.StartsWith(' ') ? decoded[1..] : decoded;
    }
}
