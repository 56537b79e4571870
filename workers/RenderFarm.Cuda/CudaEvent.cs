using System.Runtime.InteropServices;
using static RenderFarm.Cuda.Native.CudaRuntime;

namespace RenderFarm.Cuda;

/// <summary>A mark in a stream, for order between streams and for time.</summary>
public sealed class CudaEvent : SafeHandle
{
    private const uint WithoutTiming = 2;

    private CudaEvent(nint cudaEvent)
        : base(0, ownsHandle: true) => SetHandle(cudaEvent);

    /// <param name="timing">Keeps a time stamp; costs a little, so events that only order go without.</param>
    public static CudaEvent Create(bool timing = false)
    {
        Check(EventCreate(out var cudaEvent, timing ? 0 : WithoutTiming), "cudaEventCreateWithFlags");
        return new CudaEvent(cudaEvent);
    }

    public override bool IsInvalid => handle == 0;

    public void Record(CudaStream stream) => Check(EventRecord(handle, stream.DangerousGetHandle()), "cudaEventRecord");

    public void Synchronize() => Check(EventSynchronize(handle), "cudaEventSynchronize");

    /// <summary>Device time from <paramref name="start"/> to this event; both timed, recorded and done.</summary>
    public TimeSpan Since(CudaEvent start)
    {
        Check(EventElapsed(out var milliseconds, start.handle, handle), "cudaEventElapsedTime");
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    protected override bool ReleaseHandle() => EventDestroy(handle) == 0;
}
