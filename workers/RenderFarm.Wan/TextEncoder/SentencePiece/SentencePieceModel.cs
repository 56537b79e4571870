namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>Kinds of piece, numbered as in the file format.</summary>
public enum PieceType
{
    Normal = 1,
    Unknown = 2,

    /// <summary>Like <c>&lt;/s&gt;</c>: has an id, never comes out of text.</summary>
    Control = 3,

    /// <summary>Always cut out whole, and shielded from normalisation.</summary>
    UserDefined = 4,

    /// <summary>Keeps its id, is never used.</summary>
    Unused = 5,

    /// <summary><c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>: spells what no other piece covers.</summary>
    Byte = 6,
}

/// <summary>One entry of the vocabulary; its place in the list is its id.</summary>
public sealed record Piece(string Text, float Score, PieceType Type = PieceType.Normal);

/// <summary>What a SentencePiece <c>.model</c> file says, as far as Unigram encoding needs it.</summary>
public sealed record SentencePieceModel
{
    public required IReadOnlyList<Piece> Pieces { get; init; }

    /// <summary>Spell characters outside the vocabulary in byte pieces instead of the unknown piece.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>The mark of a word goes behind it, not before.</summary>
    public bool WhitespaceAsSuffix { get; init; }

    /// <summary>Id of the end-of-sequence piece, −1 for none.</summary>
    public int EndId { get; init; } = 2;

    /// <summary>Id of the padding piece, −1 for none.</summary>
    public int PadId { get; init; } = -1;

    /// <summary>Id of the one piece of type unknown.</summary>
    public int UnknownId => Pieces.TakeWhile(piece => piece.Type != PieceType.Unknown).Count();

    /// <summary>Normalisation rules: a double-array trie and the texts it points at. Empty means identity.</summary>
    public ReadOnlyMemory<byte> CharsMap { get; init; }

    public string NormalizerName { get; init; } = "identity";
    public bool AddDummyPrefix { get; init; } = true;
    public bool RemoveExtraWhitespaces { get; init; } = true;
    public bool EscapeWhitespaces { get; init; } = true;

    public static string ByteText(int value) => $"<0x{value:X2}>";
}
