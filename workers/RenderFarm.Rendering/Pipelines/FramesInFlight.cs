using RenderFarm.Cuda;
using RenderFarm.Cuda.Aten;
using RenderFarm.Cuda.Memory;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>
/// A chunk's frames as bytes, on their way to the host: whoever starts one puts the device to work and does not wait. A place is used
/// again and again, so its host memory is page-locked once.
/// </summary>
internal sealed class FramesInFlight : IDisposable
{
    private readonly Lazy<CudaEvent> _arrived = new(() => CudaEvent.Create());
    private PinnedMemory? _host;
    private Tensor? _onHost;
    private long _bytes;

    public int Frames { get; private set; }

    /// <param name="frames">[1, 3, n, H, W] in [−1, 1].</param>
    public void Start(Tensor frames)
    {
        using var scope = NewDisposeScope();
        Frames = (int)frames.shape[2];
        var finite = frames.isfinite().all().to(ScalarType.Byte).view(1);
        // As the reference saves: cut off, not rounded
        var pixels = frames.squeeze(0).permute(1, 2, 3, 0).add(1).div_(2).mul_(255).to(ScalarType.Byte).contiguous().view(-1);
        _bytes = pixels.numel();
        _onHost?.Dispose();
        _onHost = null;
        if (frames.device_type != DeviceType.CUDA)
        {
            _onHost = cat([pixels, finite]).DetachFromDisposeScope();
            return;
        }

        if (_host is null || _host.Bytes < _bytes + 1)
        {
            _host?.Dispose();
            _host = PinnedMemory.Allocate(_bytes + 1);
        }

        DeviceCopy.ToHost(_host.Address, AtenOps.DataPointer(pixels), _bytes, CudaStream.Default);
        DeviceCopy.ToHost(_host.Address + (nint)_bytes, AtenOps.DataPointer(finite), 1, CudaStream.Default);
        _arrived.Value.Record(CudaStream.Default);
    }

    /// <summary>Waits until they are there.</summary>
    /// <returns>Frames of rgb24, one after the other, until the next start; null where a value was no finite number.</returns>
    public unsafe ReadOnlySpan<byte> Arrive(out bool finite)
    {
        if (_onHost is { } host)
        {
            var all = host.bytes;
            finite = all[^1] != 0;
            return all[..^1];
        }

        _arrived.Value.Synchronize();
        var pinned = new ReadOnlySpan<byte>((void*)_host!.Address, checked((int)_bytes + 1));
        finite = pinned[^1] != 0;
        return pinned[..^1];
    }

    /// <summary>Also where frames are still on their way.</summary>
    public void Dispose()
    {
        if (_arrived.IsValueCreated)
        {
            _arrived.Value.Synchronize();
            _arrived.Value.Dispose();
        }

        _host?.Dispose();
        _onHost?.Dispose();
    }
}
