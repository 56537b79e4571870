using System.Runtime.InteropServices;
using static RenderFarm.Cuda.Native.CudaRuntime;

namespace RenderFarm.Cuda;

/// <summary>A queue of device work.</summary>
public sealed class CudaStream : SafeHandle
{
    private const uint NonBlocking = 1;

    private CudaStream(nint stream, bool owned)
        : base(-1, owned) => SetHandle(stream);

    /// <summary>The stream that libtorch works on.</summary>
    public static CudaStream Default { get; } = new(0, owned: false);

    /// <summary>A stream that runs beside the default one; only events order the two.</summary>
    public static CudaStream Create()
    {
        Check(StreamCreate(out var stream, NonBlocking), "cudaStreamCreateWithFlags");
        return new CudaStream(stream, owned: true);
    }

    public override bool IsInvalid => handle == -1;

    /// <summary>Work enqueued here from now on waits for the event as last recorded.</summary>
    public void WaitFor(CudaEvent cudaEvent) => Check(StreamWaitEvent(handle, cudaEvent.DangerousGetHandle(), 0), "cudaStreamWaitEvent");

    public void Synchronize() => Check(StreamSynchronize(handle), "cudaStreamSynchronize");

    protected override bool ReleaseHandle() => StreamDestroy(handle) == 0;
}
