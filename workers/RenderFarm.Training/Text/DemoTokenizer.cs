using RenderFarm.Wan.TextEncoder;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Training.Text;

/// <summary>
/// The demo model's own SentencePiece vocabulary: its words as whole pieces, in small letters, with a capital and in
/// capitals; everything else is spelt in letters and bytes.
/// </summary>
internal sealed class DemoTokenizer
{
    private readonly SentencePieceTokenizer _tokenizer;

    public DemoTokenizer()
    {
        var small = SentencePieceModelWriter.Small(Phrases.Vocabulary.SelectMany(Spellings));
        // A known word is never cheaper in letters
        Model = small with
        {
            Pieces =
            [
                .. small.Pieces.Select(
                    (piece, id) =>
                        piece.Type != PieceType.Normal ? piece : piece with { Score = piece.Text.Length > 1 ? -3 - id * 0.001f : -12 }
                ),
            ],
        };
        _tokenizer = new SentencePieceTokenizer(Model);
    }

    public SentencePieceModel Model { get; }

    /// <summary>With the end piece, cut to a length.</summary>
    public IReadOnlyList<long> Ids(string text, int maxLength) => PromptTokens.From(text, _tokenizer, maxLength).Ids;

    /// <summary>Pieces that training never sees, and the piece in small letters whose row they are given.</summary>
    public IReadOnlyList<(int Piece, int Like)> Capitals()
    {
        var ids = Model.Pieces.Select((piece, id) => (piece.Text, id)).ToDictionary(p => p.Text, p => p.id, StringComparer.Ordinal);
        return
        [
            .. Phrases.Vocabulary.SelectMany(word => Spellings(word).Skip(1).Select(other => (ids["▁" + other], ids["▁" + word]))),
            .. Enumerable.Range('A', 26).Select(letter => (ids[((char)letter).ToString()], ids[((char)(letter + 32)).ToString()])),
        ];
    }

    private static IEnumerable<string> Spellings(string word) =>
        ((string[])[word, char.ToUpperInvariant(word[0]) + word[1..], word.ToUpperInvariant()]).Distinct();
}
