using System.Text;

namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>
/// Cuts normalised text into the pieces whose summed log-probabilities are highest (Kudo 2018): one pass over the
/// characters, keeping the best way to reach every position. Path scores are kept in float32 and candidates added
/// in float64, as SentencePiece does: with equal-scoring cuts, rounding decides which one wins.
/// </summary>
internal sealed class UnigramSegmenter
{
    /// <summary>An unknown character costs this much more than the worst piece.</summary>
    private const float UnknownPenalty = 10;

    private const double UserDefinedPenalty = 0.1;

    private readonly PieceTrie _trie;
    private readonly IReadOnlyList<Piece> _pieces;
    private readonly float _best,
        _unknownScore;
    private readonly int _unknownId;

    public UnigramSegmenter(SentencePieceModel model)
    {
        _pieces = model.Pieces;
        _trie = new PieceTrie(
            _pieces
                .Select((piece, id) => (piece, id))
                .Where(entry => entry.piece.Type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused)
                .Select(entry => (Encoding.UTF8.GetBytes(entry.piece.Text), entry.id))
        );
        // The limits SentencePiece starts from; a vocabulary of log-probabilities keeps the smallest positive float as its best.
        var (worst, best) = (float.MaxValue, 1.17549435e-38f);
        foreach (var piece in _pieces.Where(piece => piece.Type == PieceType.Normal))
        {
            worst = Math.Min(worst, piece.Score);
            best = Math.Max(best, piece.Score);
        }

        _best = best;
        _unknownScore = worst - UnknownPenalty;
        _unknownId = model.UnknownId;
    }

    /// <summary>Piece ids with the bytes they cover, in order; an unknown character is one entry of its own.</summary>
    public List<(int Id, Range Bytes)> Segment(ReadOnlySpan<byte> text)
    {
        var reached = new Way[text.Length + 1];
        Array.Fill(reached, new Way(-1, -1, 0));
        for (var start = 0; start < text.Length;)
        {
            var score = reached[start].Score;
            var character = Math.Min(CharacterLength(text[start]), text.Length - start);
            var single = false;
            var node = PieceTrie.Root;
            for (var end = start; end < text.Length;)
            {
                node = _trie.Step(node, text[end++]);
                if (node == PieceTrie.None)
                {
                    break;
                }

                var id = _trie.Id(node);
                if (id == PieceTrie.None || _pieces[id].Type == PieceType.Unused)
                {
                    continue;
                }

                var length = end - start;
                var gain = _pieces[id].Type == PieceType.UserDefined ? length * _best - UserDefinedPenalty : _pieces[id].Score;
                Offer(ref reached[end], start, id, gain + score);
                single |= length == character;
            }

            if (!single)
            {
                Offer(ref reached[start + character], start, _unknownId, _unknownScore + score);
            }

            start += character;
        }

        var cuts = new List<(int, Range)>();
        for (var end = text.Length; end > 0; end = reached[end].Start)
        {
            cuts.Add((reached[end].Id, reached[end].Start..end));
        }

        cuts.Reverse();
        return cuts;
    }

    private static void Offer(ref Way way, int start, int id, double score)
    {
        if (way.Start < 0 || score > way.Score)
        {
            way = new Way(start, id, (float)score);
        }
    }

    /// <summary>By its first byte alone: a stray continuation byte counts as a character.</summary>
    private static int CharacterLength(byte first) =>
        first switch
        {
            < 0xC0 => 1,
            < 0xE0 => 2,
            < 0xF0 => 3,
            _ => 4,
        };

    /// <summary>
    /// The best cut that ends at a position: where its last piece starts (−1: not reached), which it is, the score so far.
    /// </summary>
    private readonly record struct Way(int Start, int Id, float Score);
}
