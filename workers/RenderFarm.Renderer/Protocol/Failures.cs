using System.Globalization;
using System.Text.RegularExpressions;
using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Units;
using RenderFarm.Cuda;
using RenderFarm.Cuda.Native;
using RenderFarm.Hosting.Torch;
using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Rendering;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Renderer.Protocol;

/// <summary>Gives every exception of a render its <see cref="FailureReason"/>. What nothing recognises is a crash.</summary>
internal static partial class Failures
{
    public static RenderException Classify(Exception exception, string device) =>
        exception switch
        {
            RenderException known => known,
            OperationCanceledException => new RenderException(FailureReason.Cancelled, "the render was cancelled", exception),
            FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException => new RenderException(
                FailureReason.ModelUnavailable,
                $"a file of the model can't be read: {exception.Message}",
                exception
            ),
            CheckpointException { InnerException: FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException } =>
                new RenderException(FailureReason.ModelUnavailable, exception.Message, exception),
            // Of this host, and not of the job: another one may do it
            ArithmeticFaultException or LibTorchException => new RenderException(FailureReason.Transient, exception.Message, exception),
            CheckpointException or SentencePieceFormatException or InvalidDataException => new RenderException(
                FailureReason.CheckpointInvalid,
                exception.Message,
                exception
            ),
            CudaException { IsOutOfMemory: true } when exception.Message.Contains("cudaHost", StringComparison.Ordinal) =>
                new RenderException(
                    FailureReason.HostOutOfMemory,
                    $"host memory can't be page-locked ({exception.Message}); raise the limit (ulimit -l) or free memory",
                    exception
                ),
            OutOfMemoryException => new RenderException(FailureReason.HostOutOfMemory, "host memory ran out", exception),
            IOException { HResult: var code } when (code & 0xFFFF) == Process.LibC.ENOSPC => new RenderException(
                FailureReason.DiskFull,
                exception.Message,
                exception
            ),
            _ => FromNative(exception, device),
        };

    private static RenderException FromNative(Exception exception, string device)
    {
        var message = exception.Message;
        var deviceAllocator =
            exception is CudaException { IsOutOfMemory: true }
            || message.Contains("CUBLAS_STATUS_ALLOC_FAILED", StringComparison.Ordinal)
            || message.Contains("CUDNN_STATUS_ALLOC_FAILED", StringComparison.Ordinal)
            || message.Contains("CUDA out of memory", StringComparison.Ordinal)
            || message.Contains("CUDA error: out of memory", StringComparison.Ordinal)
            || message.Contains("would exceed allowed memory", StringComparison.Ordinal);
        if (deviceAllocator)
        {
            var requested = Bytes(Requested().Match(message));
            var free = Bytes(Free().Match(message)) ?? FreeNow(device);
            return new RenderException(FailureReason.GpuOutOfMemory, OutOfMemory("device memory ran out", requested, free), exception)
            {
                RequestedBytes = requested,
                FreeBytes = free,
            };
        }
        if (message.Contains("DefaultCPUAllocator", StringComparison.Ordinal))
        {
            var requested = Bytes(Requested().Match(message));
            return new RenderException(FailureReason.HostOutOfMemory, OutOfMemory("host memory ran out", requested, null), exception)
            {
                RequestedBytes = requested,
            };
        }
        return new RenderException(
            FailureReason.RendererCrashed,
            $"unexpected {exception.GetType().Name} on {device}: {FirstLine(message)}",
            exception
        );
    }

    /// <summary>What the card says, where the message doesn't; null where there is none to ask.</summary>
    private static long? FreeNow(string device)
    {
        if (device != "cuda" || CudaDevice.Count == 0)
        {
            return null;
        }

        try
        {
            return CudaDevice.Memory.Free;
        }
        catch (CudaException)
        {
            return null; // The failure that is being classified has left the context unusable
        }
    }

    private static string OutOfMemory(string what, long? requested, long? free) =>
        what + (requested is null ? "" : $": {requested} bytes asked for") + (free is null ? "" : $", {free} free");

    private static string FirstLine(string message)
    {
        var end = message.IndexOf('\n', StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    private static long? Bytes(Match match)
    {
        if (!match.Success)
        {
            return null;
        }

        var number = double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);
        var unit = match.Groups["unit"].Value switch
        {
            "KiB" => 1 << 10,
            "MiB" => 1 << 20,
            "GiB" => Gibibytes.One,
            _ => 1L,
        };
        return (long)(number * unit);
    }

    // "Tried to allocate 20.00 MiB" (caching allocator), "Requested : 20.00 MiB" (driver's pool), "you tried to allocate 123 bytes" (CPU)
    [GeneratedRegex(@"(?:[Tt]ried to allocate|Requested\s*:)\s+(?<number>[0-9.]+)\s*(?<unit>bytes|KiB|MiB|GiB)")]
    private static partial Regex Requested();

    // "of which 5.00 MiB is free" (caching allocator), "Free (according to CUDA): 5.00 MiB" (driver's pool)
    [GeneratedRegex(@"(?:of which|Free \(according to CUDA\)\s*:)\s+(?<number>[0-9.]+)\s*(?<unit>bytes|KiB|MiB|GiB)")]
    private static partial Regex Free();
}
