using System.Buffers;
using System.Text;

namespace RenderFarm.Wan.TextEncoder.SentencePiece;

/// <summary>
/// Text as the pieces see it: rules of the model applied by longest prefix, runs of spaces made one, spaces turned into
/// the word mark U+2581 and one put in front of the first word.
/// </summary>
internal sealed class TextNormalizer(SentencePieceModel model)
{
    private static ReadOnlySpan<byte> WordMark => "▁"u8;
    private static ReadOnlySpan<byte> Space => " "u8;

    private readonly CharsMap? _rules = model.CharsMap.IsEmpty ? null : new CharsMap(model.CharsMap.Span);

    /// <summary>Pieces that users defined pass unchanged.</summary>
    private readonly PieceTrie? _shielded = model.Pieces.Any(piece => piece.Type == PieceType.UserDefined)
        ? new PieceTrie(
            model.Pieces.Where(piece => piece.Type == PieceType.UserDefined).Select(piece => (Encoding.UTF8.GetBytes(piece.Text), 0))
        )
        : null;

    /// <returns>UTF-8; empty when nothing but whitespace came in.</returns>
    public ReadOnlyMemory<byte> Normalize(string text)
    {
        // Lone surrogates become U+FFFD here.
        ReadOnlySpan<byte> rest = Encoding.UTF8.GetBytes(text);
        rest = model.RemoveExtraWhitespaces ? SkipSpaces(rest) : rest;
        if (rest.IsEmpty)
        {
            return ReadOnlyMemory<byte>.Empty;
        }

        var space = model.EscapeWhitespaces ? WordMark : Space;
        var output = new ArrayBufferWriter<byte>(rest.Length + rest.Length / 2 + space.Length);
        if (model is { AddDummyPrefix: true, WhitespaceAsSuffix: false })
        {
            output.Write(space);
        }

        var afterSpace = model.RemoveExtraWhitespaces;
        while (!rest.IsEmpty)
        {
            var part = NormalizePrefix(rest, out var consumed);
            rest = rest[consumed..];
            if (afterSpace)
            {
                part = part.TrimStart((byte)' ');
            }

            if (part.IsEmpty)
            {
                continue;
            }

            afterSpace = model.RemoveExtraWhitespaces && part[^1] == ' ';
            Write(output, part, space);
        }

        var length = model.RemoveExtraWhitespaces ? TrimmedLength(output.WrittenSpan, space) : output.WrittenCount;
        if (model is not { AddDummyPrefix: true, WhitespaceAsSuffix: true })
        {
            return output.WrittenMemory[..length];
        }

        byte[] marked = [.. output.WrittenSpan[..length], .. space];
        return marked;
    }

    private static void Write(ArrayBufferWriter<byte> output, ReadOnlySpan<byte> part, ReadOnlySpan<byte> space)
    {
        for (var at = part.IndexOf((byte)' '); at >= 0; at = part.IndexOf((byte)' '))
        {
            output.Write(part[..at]);
            output.Write(space);
            part = part[(at + 1)..];
        }

        output.Write(part);
    }

    private ReadOnlySpan<byte> SkipSpaces(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty && NormalizePrefix(text, out var consumed) is [(byte)' '])
        {
            text = text[consumed..];
        }

        return text;
    }

    private static int TrimmedLength(ReadOnlySpan<byte> text, ReadOnlySpan<byte> space)
    {
        while (text.EndsWith(space))
        {
            text = text[..^space.Length];
        }

        return text.Length;
    }

    private ReadOnlySpan<byte> NormalizePrefix(ReadOnlySpan<byte> text, out int consumed)
    {
        if (_shielded?.LongestPrefix(text) is > 0 and var shielded)
        {
            consumed = shielded;
            return text[..shielded];
        }

        return _rules is null ? CharsMap.Unchanged(text, out consumed) : _rules.NormalizePrefix(text, out consumed);
    }
}
