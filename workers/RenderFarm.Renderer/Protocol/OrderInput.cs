using System.Runtime.InteropServices;
using System.Text.Json;
using RenderFarm.Contracts.Json;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Renderer.Process;
using RenderFarm.Rendering;

namespace RenderFarm.Renderer.Protocol;

/// <summary>
/// Standard input: one order, then silence. Its end before an order means no work; its end after the order means that
/// the worker is gone or wants no more.
/// </summary>
internal static class OrderInput
{
    private const int LongestOrder = 16 << 20;

    /// <returns>The order, or null when the input ended before one.</returns>
    /// <exception cref="RenderException">The line is no order.</exception>
    public static RenderOrder? Read()
    {
        var line = ReadLine();
        if (line is null)
        {
            return null;
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

    /// <summary>Calls <paramref name="ended"/> once the input ends.</summary>
    public static void WatchForEnd(Action ended)
    {
        new Thread(
            () =>
            {
                Span<byte> ignored = stackalloc byte[256];
                while (ReadSome(ignored) > 0) { }
                ended();
            },
            128 * 1024
        )
        {
            IsBackground = true,
            Name = "order input",
        }.Start();
    }

    private static byte[]? ReadLine()
    {
        var line = new MemoryStream();
        Span<byte> chunk = stackalloc byte[4096];
        while (true)
        {
            var count = ReadSome(chunk);
            if (count == 0)
            {
                return line.Length == 0
                    ? null
                    : throw new RenderException(
                        FailureReason.InvalidRequest,
                        $"the input ended after {line.Length} bytes, before the order's line was complete"
                    );
            }
            var end = chunk[..count].IndexOf((byte)'\n');
            line.Write(end < 0 ? chunk[..count] : chunk[..end]);
            if (end >= 0)
            {
                return line.ToArray();
            }

            if (line.Length > LongestOrder)
            {
                throw new RenderException(FailureReason.InvalidRequest, $"the order is longer than {LongestOrder} bytes");
            }
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
