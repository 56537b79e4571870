using RenderFarm.Api.Requests;

namespace RenderFarm.Api.Batches;

/// <summary>JSON Lines: one request a line, numbered from 1 as an editor does; empty lines are passed over.</summary>
internal static class JsonLines
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    public static IEnumerable<(int Line, Func<CancellationToken, Task<RequestBody>> Read)> Of(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Span.StartsWith(ByteOrderMark))
        {
            bytes = bytes[ByteOrderMark.Length..];
        }

        for (var line = 1; bytes.Length > 0; line++)
        {
            var end = bytes.Span.IndexOf((byte)'\n');
            var text = Trimmed(end < 0 ? bytes : bytes[..end]);
            bytes = end < 0 ? default : bytes[(end + 1)..];
            if (text.Length > 0)
            {
                yield return (line, cancellationToken => BodyReader.OfJsonAsync(text, cancellationToken));
            }
        }
    }

    private static ReadOnlyMemory<byte> Trimmed(ReadOnlyMemory<byte> line)
    {
        var (start, end) = (0, line.Length);
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
