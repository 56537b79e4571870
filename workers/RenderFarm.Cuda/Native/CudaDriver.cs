using System.Runtime.InteropServices;

namespace RenderFarm.Cuda.Native;

/// <summary>The part of the driver API that loads and launches compiled kernels.</summary>
internal static unsafe partial class CudaDriver
{
    private const string Library = CudaLibraries.Driver;

    private const int MemoryPoolsSupported = 115;

    [LibraryImport(Library, EntryPoint = "cuInit")]
    private static partial int Initialize(uint flags);

    [LibraryImport(Library, EntryPoint = "cuDeviceGet")]
    private static partial int DeviceAt(out int device, int ordinal);

    [LibraryImport(Library, EntryPoint = "cuDeviceGetAttribute")]
    private static partial int DeviceAttribute(out int value, int attribute, int device);

    /// <summary>Asked of the driver alone, before the runtime or libtorch start; null where it can't be asked.</summary>
    internal static bool? HasMemoryPools() =>
        CudaLibraries.IsPresent(Library)
        && Initialize(0) == 0
        && DeviceAt(out var device, 0) == 0
        && DeviceAttribute(out var value, MemoryPoolsSupported, device) == 0
            ? value != 0
            : null;

    [LibraryImport(Library, EntryPoint = "cuModuleLoadData")]
    internal static partial int ModuleLoad(out nint module, byte* image);

    [LibraryImport(Library, EntryPoint = "cuModuleUnload")]
    internal static partial int ModuleUnload(nint module);

    [LibraryImport(Library, EntryPoint = "cuModuleGetFunction", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int ModuleFunction(out nint function, nint module, string name);

    [LibraryImport(Library, EntryPoint = "cuFuncSetAttribute")]
    internal static partial int FunctionAttribute(nint function, int attribute, int value);

    [LibraryImport(Library, EntryPoint = "cuLaunchKernel")]
    internal static partial int Launch(
        nint function,
        uint gridX,
        uint gridY,
        uint gridZ,
        uint blockX,
        uint blockY,
        uint blockZ,
        uint sharedBytes,
        nint stream,
        void** arguments,
        void** extra
    );

    [LibraryImport(Library, EntryPoint = "cuGetErrorString")]
    private static partial int ErrorString(int error, out nint text);

    internal static void Check(int status, string call)
    {
        if (status == 0)
        {
            return;
        }

        throw new CudaException(
            status,
            call,
            ErrorString(status, out var text) == 0 ? Marshal.PtrToStringUTF8(text) ?? "" : "unknown error"
        );
    }
}
