using System.Runtime.InteropServices;
using static RenderFarm.Cuda.Native.CudaRuntime;

namespace RenderFarm.Cuda.Memory;

/// <summary>Device memory outside the pool that nobody uses: it makes a card as small as a test needs it.</summary>
public sealed class HeldMemory : SafeHandle
{
    private const long Grain = 2L << 20;

    private HeldMemory(nint address, long bytes)
        : base(0, ownsHandle: true)
    {
        SetHandle(address);
        Bytes = bytes;
    }

    public long Bytes { get; }

    public override bool IsInvalid => handle == 0;

    /// <summary>Holds all of the card's free memory but <paramref name="bytes"/>; null when there is no more than that.</summary>
    public static HeldMemory? LeaveFree(long bytes)
    {
        var over = (CudaDevice.Memory.Free - bytes) / Grain * Grain;
        if (over <= 0)
        {
            return null;
        }

        Check(DeviceAlloc(out var address, (nuint)over), $"cudaMalloc of {over:N0} bytes");
        return new HeldMemory(address, over);
    }

    protected override bool ReleaseHandle() => DeviceFree(handle) == 0;
}
