namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>A SentencePiece model that can't be used; the message names the file and the field.</summary>
public sealed class SentencePieceFormatException : Exception
{
    public SentencePieceFormatException(string message)
        : base(message) { }

    public SentencePieceFormatException(string message, Exception inner)
        : base(message, inner) { }
}
