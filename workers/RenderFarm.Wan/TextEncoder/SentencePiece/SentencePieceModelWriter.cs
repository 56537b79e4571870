using System.Buffers.Binary;
using System.Text;

namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>Writes <c>.model</c> files that this reader and SentencePiece itself load.</summary>
public static class SentencePieceModelWriter
{
    /// <summary>
    /// A small vocabulary in the order that UMT5 uses: pad 0, end 1, unknown 2, the 256 byte pieces, then the word mark,
    /// printable ASCII and <paramref name="words"/> (each as a word start), cheaper the earlier they come.
    /// </summary>
    public static SentencePieceModel Small(IEnumerable<string> words)
    {
        var texts = Enumerable
            .Range('!', '~' - '!' + 1)
            .Select(letter => ((char)letter).ToString())
            .Prepend("▁")
            .Concat(words.Select(word => "▁" + word))
            .Distinct();
        return new SentencePieceModel
        {
            Pieces =
            [
                new Piece("<pad>", 0, PieceType.Control),
                new Piece("</s>", 0, PieceType.Control),
                new Piece("<unk>", 0, PieceType.Unknown),
                .. Enumerable.Range(0, 256).Select(value => new Piece(SentencePieceModel.ByteText(value), 0, PieceType.Byte)),
                .. texts.Select((text, rank) => new Piece(text, -3 - rank * 0.01f)),
            ],
            ByteFallback = true,
            EndId = 1,
            PadId = 0,
        };
    }

    public static void Write(SentencePieceModel model, string path) => File.WriteAllBytes(path, Write(model));

    public static byte[] Write(SentencePieceModel model)
    {
        using var file = new MemoryStream();
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            Bytes(file, 1, WritePiece(model.Pieces[id]));
        }

        Bytes(file, 2, WriteTrainer(model));
        Bytes(file, 3, WriteNormalizer(model));
        return file.ToArray();
    }

    private static byte[] WritePiece(Piece piece)
    {
        using var message = new MemoryStream();
        Bytes(message, 1, Encoding.UTF8.GetBytes(piece.Text));
        Float(message, 2, piece.Score);
        Number(message, 3, (long)piece.Type);
        return message.ToArray();
    }

    private static byte[] WriteTrainer(SentencePieceModel model)
    {
        using var message = new MemoryStream();
        Number(message, 3, 1); // Unigram
        Number(message, 4, model.Pieces.Count);
        Number(message, 24, model.WhitespaceAsSuffix ? 1 : 0);
        Number(message, 35, model.ByteFallback ? 1 : 0);
        Number(message, 40, model.UnknownId);
        Number(message, 41, -1); // No start piece
        Number(message, 42, model.EndId);
        Number(message, 43, model.PadId);
        return message.ToArray();
    }

    private static byte[] WriteNormalizer(SentencePieceModel model)
    {
        using var message = new MemoryStream();
        Bytes(message, 1, Encoding.UTF8.GetBytes(model.NormalizerName));
        if (!model.CharsMap.IsEmpty)
        {
            Bytes(message, 2, model.CharsMap.Span);
        }

        Number(message, 3, model.AddDummyPrefix ? 1 : 0);
        Number(message, 4, model.RemoveExtraWhitespaces ? 1 : 0);
        Number(message, 5, model.EscapeWhitespaces ? 1 : 0);
        return message.ToArray();
    }

    private static void Number(MemoryStream message, int field, long value)
    {
        Varint(message, (ulong)field << 3);
        Varint(message, (ulong)value);
    }

    private static void Float(MemoryStream message, int field, float value)
    {
        Varint(message, (ulong)field << 3 | 5);
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        message.Write(bytes);
    }

    private static void Bytes(MemoryStream message, int field, ReadOnlySpan<byte> value)
    {
        Varint(message, (ulong)field << 3 | 2);
        Varint(message, (ulong)value.Length);
        message.Write(value);
    }

    private static void Varint(MemoryStream message, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            message.WriteByte((byte)(value | 0x80));
        }

        message.WriteByte((byte)value);
    }
}
