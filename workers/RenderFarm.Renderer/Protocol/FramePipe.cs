using System.Diagnostics;
using System.Runtime.InteropServices;
using RenderFarm.Contracts.Leases;
using RenderFarm.Renderer.Process;
using RenderFarm.Rendering;
using RenderFarm.Rendering.Pipelines;

namespace RenderFarm.Renderer.Protocol;

/// <summary>
/// The FIFO that the video encoder reads. It is opened with the first frame, because opening a FIFO waits for its
/// reader, and a missing encoder must end the render with a reason instead of hanging it.
/// </summary>
internal sealed class FramePipe(string path, CancellationToken cancellationToken) : IFrameSink, IDisposable
{
    private static readonly TimeSpan ReaderPatience = TimeSpan.FromSeconds(20);
    private const int PipeBytes = 1 << 20;

    private int _fd = -1;

    public void Write(ReadOnlySpan<byte> rgb24)
    {
        if (_fd < 0)
        {
            _fd = Open();
        }

        var error = LibC.WriteAll(_fd, rgb24);
        if (error == 0)
        {
            return;
        }

        throw error switch
        {
            LibC.EPIPE => new RenderException(FailureReason.EncoderFailed, "the video encoder stopped reading frames; its log says why"),
            LibC.ENOSPC => new RenderException(FailureReason.DiskFull, $"no space left on the device of {path}"),
            _ => new RenderException(
                FailureReason.EncoderFailed,
                $"frames could not be written to {path}: {Marshal.GetPInvokeErrorMessage(error)}"
            ),
        };
    }

    private int Open()
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            // Without O_NONBLOCK the call would wait for a reader for ever
            var opened = LibC.open(path, LibC.O_WRONLY | LibC.O_NONBLOCK | LibC.O_CLOEXEC);
            if (opened >= 0)
            {
                _ = LibC.fcntl(opened, LibC.F_SETFL, LibC.O_WRONLY); // From here on writes block until the encoder keeps up
                _ = LibC.fcntl(opened, LibC.F_SETPIPE_SZ, PipeBytes); // A wish: fewer wake-ups; refused where the limit is lower
                return opened;
            }
            var error = Marshal.GetLastPInvokeError();
            if (error is not (LibC.ENXIO or LibC.EINTR))
            {
                throw new RenderException(
                    FailureReason.EncoderFailed,
                    $"the frame pipe {path} could not be opened: {Marshal.GetPInvokeErrorMessage(error)}"
                );
            }

            if (Stopwatch.GetElapsedTime(started) > ReaderPatience)
            {
                throw new RenderException(
                    FailureReason.EncoderFailed,
                    $"no encoder opened the frame pipe {path} within {ReaderPatience.TotalSeconds:0} s"
                );
            }

            if (cancellationToken.WaitHandle.WaitOne(TimeSpan.FromMilliseconds(20)))
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        }
    }

    public void Dispose()
    {
        if (_fd >= 0)
        {
            _ = LibC.close(_fd);
        }

        _fd = -1;
    }
}
