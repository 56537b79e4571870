using System.Runtime.InteropServices;
using static RenderFarm.Cuda.Native.CudaRuntime;

namespace RenderFarm.Cuda.Memory;

/// <summary>
/// Host memory that somebody else owns (a mapped file in shared memory), page-locked so that copies from it run at full
/// speed beside computing. Read-only mappings register several times faster than writable ones.
/// </summary>
public sealed class RegisteredMemory : SafeHandle
{
    private const uint Portable = 1,
        ReadOnly = 8;

    private RegisteredMemory(nint address, long bytes)
        : base(0, ownsHandle: true)
    {
        SetHandle(address);
        Bytes = bytes;
    }

    public long Bytes { get; }

    public nint Address => handle;

    public override bool IsInvalid => handle == 0;

    public static RegisteredMemory Register(nint address, long bytes, bool readOnly = true)
    {
        Check(HostRegister(address, (nuint)bytes, readOnly ? Portable | ReadOnly : Portable), $"cudaHostRegister of {bytes:N0} bytes");
        return new RegisteredMemory(address, bytes);
    }

    protected override bool ReleaseHandle() => HostUnregister(handle) == 0;
}
