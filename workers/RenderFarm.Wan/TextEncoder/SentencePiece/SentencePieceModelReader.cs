namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>
/// Reads <c>spiece.model</c>: the protobuf message <c>sentencepiece.ModelProto</c>. Checks what encoding relies on,
/// so that a model which loads can encode any text.
/// </summary>
public static class SentencePieceModelReader
{
    /// <summary>Published pieces are a few characters long; the bound keeps the cost of every position small.</summary>
    public const int MaxPieceBytes = 512;

    private const int Unigram = 1;
    private static readonly HashSet<string> ByteTexts = [.. Enumerable.Range(0, 256).Select(SentencePieceModel.ByteText)];

    public static SentencePieceModel Read(string path) => Read(File.ReadAllBytes(path), path);

    /// <param name="bytes">The whole file; the model keeps no reference to it.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="SentencePieceFormatException">Not a Unigram model, or a broken one.</exception>
    public static SentencePieceModel Read(ReadOnlySpan<byte> bytes, string name)
    {
        try
        {
            return Check(ReadModel(bytes));
        }
        catch (SentencePieceFormatException error)
        {
            throw new SentencePieceFormatException($"'{name}' is not a usable SentencePiece model: {error.Message}.", error);
        }
    }

    private static SentencePieceModel ReadModel(ReadOnlySpan<byte> bytes)
    {
        var pieces = new List<Piece>();
        var model = new SentencePieceModel { Pieces = pieces };
        var reader = new ProtobufReader(bytes, "model");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    pieces.Add(ReadPiece(reader.Bytes(), pieces.Count));
                    break;
                case 2:
                    model = ReadTrainer(reader.Bytes(), model);
                    break;
                case 3:
                    model = ReadNormalizer(reader.Bytes(), model);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return model;
    }

    private static Piece ReadPiece(ReadOnlySpan<byte> bytes, int id)
    {
        var (text, score, type) = ("", 0f, PieceType.Normal);
        var reader = new ProtobufReader(bytes, $"piece {id}");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    text = reader.Text();
                    break;
                case 2:
                    score = reader.Float();
                    break;
                case 3:
                    type = (PieceType)reader.Varint();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return new Piece(text, score, type);
    }

    private static SentencePieceModel ReadTrainer(ReadOnlySpan<byte> bytes, SentencePieceModel model)
    {
        var reader = new ProtobufReader(bytes, "trainer_spec");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 3:
                    if (reader.Varint() is var type and not Unigram)
                    {
                        throw new SentencePieceFormatException($"trainer_spec.model_type is {type}, only {Unigram} (unigram) is read here");
                    }

                    break;
                case 24:
                    model = model with { WhitespaceAsSuffix = reader.Bool() };
                    break;
                case 35:
                    model = model with { ByteFallback = reader.Bool() };
                    break;
                case 42:
                    model = model with { EndId = (int)reader.Varint() };
                    break;
                case 43:
                    model = model with { PadId = (int)reader.Varint() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return model;
    }

    private static SentencePieceModel ReadNormalizer(ReadOnlySpan<byte> bytes, SentencePieceModel model)
    {
        var reader = new ProtobufReader(bytes, "normalizer_spec");
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    model = model with { NormalizerName = reader.Text() };
                    break;
                case 2:
                    model = model with { CharsMap = reader.Bytes().ToArray() };
                    break;
                case 3:
                    model = model with { AddDummyPrefix = reader.Bool() };
                    break;
                case 4:
                    model = model with { RemoveExtraWhitespaces = reader.Bool() };
                    break;
                case 5:
                    model = model with { EscapeWhitespaces = reader.Bool() };
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return model;
    }

    private static SentencePieceModel Check(SentencePieceModel model)
    {
        if (model.Pieces.Count == 0)
        {
            throw new SentencePieceFormatException("it has no pieces");
        }

        var seen = new HashSet<string>(model.Pieces.Count, StringComparer.Ordinal);
        var unknown = 0;
        var bytes = 0;
        for (var id = 0; id < model.Pieces.Count; id++)
        {
            var piece = model.Pieces[id];
            CheckPiece(piece, id);
            if (!seen.Add(piece.Text))
            {
                throw new SentencePieceFormatException($"piece {id} ('{piece.Text}') appears twice");
            }

            if (piece.Type == PieceType.Unknown)
            {
                unknown++;
            }

            if (piece.Type == PieceType.Byte)
            {
                bytes++;
            }
        }

        if (unknown != 1)
        {
            throw new SentencePieceFormatException($"it has {unknown} pieces of type unknown instead of 1");
        }

        if (bytes != (model.ByteFallback ? 256 : 0))
        {
            throw new SentencePieceFormatException(
                $"it has {bytes} byte pieces where trainer_spec.byte_fallback {(model.ByteFallback ? "needs 256" : "is off")}"
            );
        }

        CheckId(model.EndId, "eos_id", model);
        CheckId(model.PadId, "pad_id", model);
        return model;
    }

    private static void CheckPiece(Piece piece, int id)
    {
        if (piece.Text.Length == 0)
        {
            throw new SentencePieceFormatException($"piece {id} has no text");
        }

        if (System.Text.Encoding.UTF8.GetByteCount(piece.Text) is var length and > MaxPieceBytes)
        {
            throw new SentencePieceFormatException($"piece {id} is {length} bytes long, at most {MaxPieceBytes} are read");
        }

        if (!Enum.IsDefined(piece.Type))
        {
            throw new SentencePieceFormatException($"piece {id} ('{piece.Text}') has the unknown type {(int)piece.Type}");
        }

        if (!float.IsFinite(piece.Score))
        {
            throw new SentencePieceFormatException($"piece {id} ('{piece.Text}') has the score {piece.Score}");
        }

        if (piece.Type == PieceType.Byte && !ByteTexts.Contains(piece.Text))
        {
            throw new SentencePieceFormatException($"piece {id} ('{piece.Text}') is of type byte, but not named <0x00> to <0xFF>");
        }
    }

    private static void CheckId(int id, string field, SentencePieceModel model)
    {
        if (id >= model.Pieces.Count)
        {
            throw new SentencePieceFormatException($"trainer_spec.{field} is {id}, but there are {model.Pieces.Count} pieces");
        }
    }
}
