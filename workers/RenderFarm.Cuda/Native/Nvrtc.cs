using System.Runtime.InteropServices;

namespace RenderFarm.Cuda.Native;

/// <summary>The run-time compiler.</summary>
internal static unsafe partial class Nvrtc
{
    private const string Library = CudaLibraries.Compiler;

    [LibraryImport(Library, EntryPoint = "nvrtcVersion")]
    internal static partial int Version(out int major, out int minor);

    [LibraryImport(Library, EntryPoint = "nvrtcCreateProgram", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Create(out nint program, string source, string name, int headers, nint headerSources, nint headerNames);

    [LibraryImport(Library, EntryPoint = "nvrtcDestroyProgram")]
    internal static partial int Destroy(ref nint program);

    [LibraryImport(Library, EntryPoint = "nvrtcCompileProgram", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int Compile(nint program, int count, string[] options);

    [LibraryImport(Library, EntryPoint = "nvrtcGetProgramLogSize")]
    internal static partial int LogSize(nint program, out nuint size);

    [LibraryImport(Library, EntryPoint = "nvrtcGetProgramLog")]
    internal static partial int Log(nint program, byte* text);

    [LibraryImport(Library, EntryPoint = "nvrtcGetNumSupportedArchs")]
    internal static partial int ArchitectureCount(out int count);

    [LibraryImport(Library, EntryPoint = "nvrtcGetSupportedArchs")]
    internal static partial int Architectures(int* numbers);

    [LibraryImport(Library, EntryPoint = "nvrtcGetPTXSize")]
    internal static partial int PtxSize(nint program, out nuint size);

    [LibraryImport(Library, EntryPoint = "nvrtcGetPTX")]
    internal static partial int Ptx(nint program, byte* text);

    [LibraryImport(Library, EntryPoint = "nvrtcGetCUBINSize")]
    internal static partial int CubinSize(nint program, out nuint size);

    [LibraryImport(Library, EntryPoint = "nvrtcGetCUBIN")]
    internal static partial int Cubin(nint program, byte* image);

    internal static void Check(int status, string call)
    {
        if (status != 0)
        {
            throw new CudaException(status, call, "the run-time compiler failed");
        }
    }
}
