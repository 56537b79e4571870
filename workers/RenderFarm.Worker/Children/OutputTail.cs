namespace RenderFarm.Worker.Children;

/// <summary>Reads a child's output to its end and keeps the last part of it, however much there is.</summary>
internal sealed class OutputTail
{
    private const int Kept = 16 * 1024;
    private readonly Lock _lock = new();
    private readonly char[] _ring = new char[Kept];
    private long _written;

    private OutputTail(StreamReader reader) => Ended = PumpAsync(reader);

    /// <summary>Completes when the child, and everyone who inherited the pipe, has closed it.</summary>
    public Task Ended { get; }

    public static OutputTail Of(StreamReader reader) => new(reader);

    public string Text
    {
        get
        {
            lock (_lock)
            {
                if (_written <= Kept)
                {
                    return new string(_ring, 0, (int)_written);
                }

                var start = (int)(_written % Kept);
                return "…" + new string(_ring, start, Kept - start) + new string(_ring, 0, start);
            }
        }
    }

    /// <summary>The last line with something on it, or an empty string.</summary>
    public string LastLine => LastLines(1);

    /// <summary>The last few lines with something on them as one, or an empty string.</summary>
    public string LastLines(int count) =>
        string.Join(
            "; ",
            Text.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).TakeLast(count)
        );

    private async Task PumpAsync(StreamReader reader)
    {
        var chunk = new char[4096];
        try
        {
            int read;
            while ((read = await reader.ReadAsync(chunk)) > 0)
            {
                Append(chunk.AsSpan(0, read));
            }
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException)
        {
            // The pipe was torn down with the child: what came until then is what there is
        }
    }

    private void Append(ReadOnlySpan<char> text)
    {
        lock (_lock)
        {
            foreach (var c in text)
            {
                _ring[(int)(_written++ % Kept)] = c;
            }
        }
    }
}
