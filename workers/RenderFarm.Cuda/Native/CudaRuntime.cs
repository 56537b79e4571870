using System.Runtime.InteropServices;

namespace RenderFarm.Cuda.Native;

/// <summary>CUDA runtime API; every call answers 0 for success.</summary>
internal static partial class CudaRuntime
{
    private const string Library = CudaLibraries.Runtime;

    [LibraryImport(Library, EntryPoint = "cudaGetErrorString")]
    private static partial nint ErrorString(int error);

    [LibraryImport(Library, EntryPoint = "cudaGetLastError")]
    internal static partial int LastError();

    [LibraryImport(Library, EntryPoint = "cudaGetDeviceCount")]
    internal static partial int DeviceCount(out int count);

    [LibraryImport(Library, EntryPoint = "cudaDeviceGetAttribute")]
    internal static partial int DeviceAttribute(out int value, int attribute, int device);

    [LibraryImport(Library, EntryPoint = "cudaDriverGetVersion")]
    internal static partial int DriverVersion(out int version);

    [LibraryImport(Library, EntryPoint = "cudaMemGetInfo")]
    internal static partial int MemoryInfo(out nuint free, out nuint total);

    [LibraryImport(Library, EntryPoint = "cudaDeviceSynchronize")]
    internal static partial int DeviceSynchronize();

    [LibraryImport(Library, EntryPoint = "cudaStreamCreateWithFlags")]
    internal static partial int StreamCreate(out nint stream, uint flags);

    [LibraryImport(Library, EntryPoint = "cudaStreamDestroy")]
    internal static partial int StreamDestroy(nint stream);

    [LibraryImport(Library, EntryPoint = "cudaStreamSynchronize")]
    internal static partial int StreamSynchronize(nint stream);

    [LibraryImport(Library, EntryPoint = "cudaStreamWaitEvent")]
    internal static partial int StreamWaitEvent(nint stream, nint cudaEvent, uint flags);

    [LibraryImport(Library, EntryPoint = "cudaEventCreateWithFlags")]
    internal static partial int EventCreate(out nint cudaEvent, uint flags);

    [LibraryImport(Library, EntryPoint = "cudaEventDestroy")]
    internal static partial int EventDestroy(nint cudaEvent);

    [LibraryImport(Library, EntryPoint = "cudaEventRecord")]
    internal static partial int EventRecord(nint cudaEvent, nint stream);

    [LibraryImport(Library, EntryPoint = "cudaEventSynchronize")]
    internal static partial int EventSynchronize(nint cudaEvent);

    [LibraryImport(Library, EntryPoint = "cudaEventElapsedTime")]
    internal static partial int EventElapsed(out float milliseconds, nint start, nint end);

    [LibraryImport(Library, EntryPoint = "cudaMemcpyAsync")]
    internal static partial int CopyAsync(nint destination, nint source, nuint bytes, int kind, nint stream);

    [LibraryImport(Library, EntryPoint = "cudaHostRegister")]
    internal static partial int HostRegister(nint pointer, nuint bytes, uint flags);

    [LibraryImport(Library, EntryPoint = "cudaHostUnregister")]
    internal static partial int HostUnregister(nint pointer);

    [LibraryImport(Library, EntryPoint = "cudaMalloc")]
    internal static partial int DeviceAlloc(out nint pointer, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cudaFree")]
    internal static partial int DeviceFree(nint pointer);

    [LibraryImport(Library, EntryPoint = "cudaHostAlloc")]
    internal static partial int HostAlloc(out nint pointer, nuint bytes, uint flags);

    [LibraryImport(Library, EntryPoint = "cudaFreeHost")]
    internal static partial int FreeHost(nint pointer);

    [LibraryImport(Library, EntryPoint = "cudaDeviceGetDefaultMemPool")]
    internal static partial int DefaultMemoryPool(out nint pool, int device);

    [LibraryImport(Library, EntryPoint = "cudaMemPoolGetAttribute")]
    internal static partial int PoolGet(nint pool, int attribute, out ulong value);

    [LibraryImport(Library, EntryPoint = "cudaMemPoolSetAttribute")]
    internal static partial int PoolSet(nint pool, int attribute, in ulong value);

    [LibraryImport(Library, EntryPoint = "cudaMemPoolTrimTo")]
    internal static partial int PoolTrim(nint pool, nuint keep);

    /// <summary>Turns a failed call into an exception that names it.</summary>
    internal static void Check(int status, string call)
    {
        if (status == 0)
        {
            return;
        }

        _ = LastError(); // An error that is reported here must not surface again in an unrelated call
        throw new CudaException(status, call, Marshal.PtrToStringUTF8(ErrorString(status)) ?? "unknown error");
    }
}
