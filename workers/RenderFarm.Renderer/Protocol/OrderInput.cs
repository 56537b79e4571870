using System.Runtime.InteropServices;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Renderer.Process;
using RenderFarm.Rendering;

namespace RenderFarm.Renderer.Protocol;

/// <summary>
/// Standard input: orders ahead of their job, as many as come, one order, then silence. Its end before that order means no work; its end
/// after it means that the worker is gone or wants no more.
/// </summary>
internal sealed class OrderInput : IDisposable
{
    private const int LongestOrder = 16 << 20;

    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _lines = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly CancellationTokenSource _ended = new();
    private CancellationTokenSource _more = new();
    private Exception? _fault;
    private bool _closed;

    /// <summary>Cancelled once there is something to read that <see cref="Next"/> has not given yet, or the input has ended.</summary>
    public CancellationToken More
    {
        get
        {
            lock (_gate)
            {
                return _more.Token;
            }
        }
    }

    /// <summary>Cancelled once the input has ended.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Reads on a thread of its own from now on.</summary>
    public static OrderInput Open()
    {
        var input = new OrderInput();
        new Thread(input.Listen, 128 * 1024) { IsBackground = true, Name = "order input" }.Start();
        return input;
    }

    /// <returns>The next order, waited for; null when the input ended before one.</returns>
    /// <exception cref="RenderException">The line is no order.</exception>
    public RenderOrder? Next()
    {
        _news.Wait(CancellationToken.None);
        byte[]? line;
        lock (_gate)
        {
            if (!_lines.TryDequeue(out line))
            {
                _news.Release(); // The end stays the end
                return _fault is null ? null : throw _fault;
            }

            if (_lines.Count == 0 && !_ended.IsCancellationRequested)
            {
                _more = new CancellationTokenSource();
            }
        }

        try
        {
            return JsonSerializer.Deserialize(line, ContractsJson.Default.RenderOrder)
                ?? throw new RenderException(FailureReason.InvalidRequest, "the order is null; send one RenderOrder as a JSON line");
        }
        catch (JsonException e)
        {
            throw new RenderException(FailureReason.InvalidRequest, $"the order could not be read: {e.Message}", e);
        }
    }

    /// <summary>Nothing is heard any more; the thread ends with the input, or with the process.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
        }

        _news.Dispose();
        _ended.Dispose();
        _more.Dispose();
    }

    private void Listen()
    {
        var rest = new MemoryStream();
        try
        {
            while (ReadLine(rest) is { } line)
            {
                Tell(() => _lines.Enqueue(line));
            }
        }
        catch (Exception e) when (e is RenderException or IOException)
        {
            _fault = e;
        }

        Tell(_ended.Cancel);
    }

    private void Tell(Action change)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            change();
            _more.Cancel();
            _news.Release();
        }
    }

    /// <param name="rest">What was read beyond the last line; what is read beyond this one is left there.</param>
    /// <returns>Null at the end.</returns>
    private static byte[]? ReadLine(MemoryStream rest)
    {
        Span<byte> chunk = stackalloc byte[4096];
        var seen = 0;
        while (true)
        {
            var read = rest.GetBuffer().AsSpan(0, (int)rest.Length);
            var end = read[seen..].IndexOf((byte)'\n');
            if (end >= 0)
            {
                end += seen;
                var line = read[..end].ToArray();
                var beyond = read[(end + 1)..].ToArray();
                rest.SetLength(0);
                rest.Write(beyond);
                return line;
            }

            seen = read.Length;
            if (seen > LongestOrder)
            {
                throw new RenderException(FailureReason.InvalidRequest, $"the order is longer than {LongestOrder} bytes");
            }

            var count = ReadSome(chunk);
            if (count == 0)
            {
                return rest.Length == 0
                    ? null
                    : throw new RenderException(
                        FailureReason.InvalidRequest,
                        $"the input ended after {rest.Length} bytes, before the order's line was complete"
                    );
            }

            rest.Write(chunk[..count]);
        }
    }

    private static unsafe int ReadSome(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var count = LibC.read(LibC.StandardInput, start, buffer.Length);
                if (count >= 0)
                {
                    return (int)count;
                }

                if (Marshal.GetLastPInvokeError() != LibC.EINTR)
                {
                    throw new IOException($"standard input could not be read: {Marshal.GetLastPInvokeErrorMessage()}");
                }
            }
        }
    }
}
