using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using RenderFarm.Api.Errors;

namespace RenderFarm.Api.Requests;

/// <summary>
/// Reads JSON into one tree, whose every string is Unicode that can be kept (PostgreSQL holds no U+0000), whose long strings lie beside
/// it, and whose lists of texts stay where they are. A body on disk is read block by block: of it only the tree is ever in memory.
/// </summary>
internal static class JsonBody
{
    private const int MaxDepth = 16;
    private const int Block = 1 << 16;
    private static readonly JsonReaderOptions Strict = new() { MaxDepth = MaxDepth };

    private static ReadOnlySpan<byte> Mark => [0xEF, 0xBB, 0xBF];

    /// <exception cref="ApiErrorException">400, saying where and why.</exception>
    public static RequestBody Read(BodyBytes body, BodyShape shape)
    {
        var scan = JsonScan.Of(body, shape);
        var tree = new JsonTree(shape, "", body);
        try
        {
            if (body.Memory is { } bytes && scan.Texts.Count == 0)
            {
                Parse(bytes.Span, tree);
            }
            else
            {
                using var rest = new ShortenedBody(body, scan.Texts);
                Parse(rest, tree);
            }
        }
        catch (JsonException e)
        {
            throw ApiError.Malformed($"The body is not valid JSON: {Cause(e)}").AsException();
        }

        return tree.Root is JsonObject fields
            ? new RequestBody(fields, []) { LongTexts = tree.LongTexts }
            : throw ApiError.Malformed("The body must be a JSON object.").AsException();
    }

    /// <summary>A field that came as text: all of it becomes the tree, for the text is not long.</summary>
    /// <param name="name">The field's, in the spelling of the request.</param>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static JsonNode? ReadField(byte[] json, string name)
    {
        _ = JsonScan.Of(new BodyBytes(json), BodyShape.Matrix);
        var tree = new JsonTree(BodyShape.Matrix, name);
        Parse(json, tree);
        return tree.Root;
    }

    /// <summary>System.Text.Json counts lines and columns from 0 and appends them to its message; people count from 1.</summary>
    internal static string Cause(JsonException e)
    {
        var end = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        var cause = end < 0 ? e.Message : e.Message[..end];
        return e.LineNumber is { } line ? $"{cause} (line {line + 1}, column {e.BytePositionInLine + 1})" : cause;
    }

    private static void Parse(ReadOnlySpan<byte> json, JsonTree tree)
    {
        var state = new JsonReaderState(Strict);
        Feed(json.StartsWith(Mark) ? json[Mark.Length..] : json, isLast: true, ref state, tree);
    }

    private static void Parse(ShortenedBody rest, JsonTree tree)
    {
        var (state, buffer, from) = (new JsonReaderState(Strict), ArrayPool<byte>.Shared.Rent(Block), 0L);
        try
        {
            var held = rest.ReadAtLeast(buffer.AsSpan(0, Mark.Length), Mark.Length, throwOnEndOfStream: false);
            if (buffer.AsSpan(0, held).SequenceEqual(Mark))
            {
                (held, from) = (0, Mark.Length);
            }

            while (true)
            {
                if (held == buffer.Length)
                {
                    // A string that is longer than a block
                    buffer = Grown(buffer);
                }

                var read = rest.Read(buffer.AsSpan(held));
                held += read;
                var done = Feed(buffer.AsSpan(0, held), isLast: read == 0, ref state, tree, place => rest.LeftOut(from + place));
                if (read == 0)
                {
                    return;
                }

                buffer.AsSpan(done, held - done).CopyTo(buffer);
                (held, from) = (held - done, from + done);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static byte[] Grown(byte[] full)
    {
        var larger = ArrayPool<byte>.Shared.Rent(full.Length * 2);
        full.CopyTo(larger, 0);
        ArrayPool<byte>.Shared.Return(full);
        return larger;
    }

    /// <param name="leftOutAt">What was left out of the string that begins so many bytes into these.</param>
    /// <returns>How many bytes were read; the others are the beginning of a token.</returns>
    private static int Feed(
        ReadOnlySpan<byte> json,
        bool isLast,
        ref JsonReaderState state,
        JsonTree tree,
        Func<long, TextRange?>? leftOutAt = null
    )
    {
        var reader = new Utf8JsonReader(json, isLast, state);
        while (reader.Read())
        {
            tree.Add(ref reader, reader.TokenType == JsonTokenType.String ? leftOutAt?.Invoke(reader.TokenStartIndex) : null);
        }

        state = reader.CurrentState;
        return (int)reader.BytesConsumed;
    }
}
