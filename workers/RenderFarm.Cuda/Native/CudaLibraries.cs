using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RenderFarm.Cuda.Native;

/// <summary>
/// Finds the native libraries: those beside libtorch, of whichever CUDA major version it was built for, and the libtorch
/// that TorchSharp has loaded already (asking for it by its soname gives the same one).
/// </summary>
public static class CudaLibraries
{
    internal const string Runtime = "cudart";
    internal const string Driver = "cuda";
    internal const string Compiler = "nvrtc";
    internal const string Products = "cublasLt";
    internal const string Torch = "torch_cpu";

    private static readonly Dictionary<string, string[]> Candidates = new()
    {
        [Runtime] = ["libcudart.so.13", "libcudart.so.12", "libcudart.so"],
        [Driver] = ["libcuda.so.1"],
        [Compiler] = ["libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"],
        [Products] = ["libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"],
        [Torch] = ["libtorch_cpu.so"],
    };

    /// <summary>Looked at before the places of the system's loader: what came with a libtorch is what it was built for.</summary>
    public static IReadOnlyList<string> Folders { get; set; } = [];

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "the resolver must be in place before the first import, whichever that is")]
    internal static void Register() => NativeLibrary.SetDllImportResolver(typeof(CudaLibraries).Assembly, Resolve);

    /// <summary>Whether a library can be loaded at all.</summary>
    internal static bool IsPresent(string name) => TryLoad(name) != 0;

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        Candidates.ContainsKey(name) ? TryLoad(name) : 0;

    private static nint TryLoad(string name)
    {
        foreach (var file in Candidates[name])
        {
            if (Folders.Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists) is { } path
                && NativeLibrary.TryLoad(path, out var found))
            {
                return found;
            }

            if (
                NativeLibrary.TryLoad(file, out var handle)
                || NativeLibrary.TryLoad(Path.Combine(AppContext.BaseDirectory, file), out handle)
            )
            {
                return handle;
            }
        }

        return 0;
    }
}
