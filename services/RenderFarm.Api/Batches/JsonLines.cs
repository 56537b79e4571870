using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using RenderFarm.Api.Errors;
using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Batches;

/// <summary>
/// JSON Lines: one request a line, numbered from 1 as an editor does; empty lines are passed over. One line is in memory at a time.
/// </summary>
internal static class JsonLines
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    public static async IAsyncEnumerable<BatchLine> Of(SpooledFile file, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using var stream = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, useAsync: true);
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 1 << 16));
        var line = 0;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            while (buffer.PositionOf((byte)'\n') is { } end)
            {
                if (LineOf(buffer.Slice(0, end), ++line) is { } one)
                {
                    yield return one;
                }

                buffer = buffer.Slice(buffer.GetPosition(1, end));
            }

            if (buffer.Length > BodyShape.Fields.MaxTreeBytes)
            {
                throw ApiError
                    .InvalidValue("file", $"Line {line + 1} is longer than {BodyShape.Fields.MaxTreeBytes} bytes, the most that is taken.")
                    .AsException();
            }

            if (read.IsCompleted)
            {
                if (LineOf(buffer, ++line) is { } last)
                {
                    yield return last;
                }

                break;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }

        await reader.CompleteAsync();
    }

    private static BatchLine? LineOf(in ReadOnlySequence<byte> bytes, int line)
    {
        var text = Trimmed(bytes.ToArray(), line == 1);
        return text.Length == 0 ? null : new BatchLine(line, () => BodyReader.OfJson(text, BodyShape.Fields));
    }

    private static ReadOnlyMemory<byte> Trimmed(ReadOnlyMemory<byte> line, bool isFirst)
    {
        var (start, end) = (isFirst && line.Span.StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0, line.Length);
        while (start < end && IsBlank(line.Span[start]))
        {
            start++;
        }

        while (end > start && IsBlank(line.Span[end - 1]))
        {
            end--;
        }

        return line[start..end];

        static bool IsBlank(byte letter) => letter is (byte)' ' or (byte)'\t' or (byte)'\r';
    }
}
