using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RenderFarm.Cuda.Native;

/// <summary>cuBLASLt: products whose kernel is chosen by shape, with what follows the product done before it is written.</summary>
internal static unsafe partial class CublasLt
{
    private const string Library = CudaLibraries.Products;

    public const int Compute32F = 68;
    public const int Real32F = 0;
    public const int RealBFloat16 = 14;
    public const int OperationT = 1;
    public const int DescriptorTransposeA = 3;
    public const int DescriptorEpilogue = 7;
    public const int DescriptorBias = 8;
    public const int PreferenceWorkspace = 1;
    public const int PreferenceAlignmentA = 5;
    public const int PreferenceAlignmentB = 6;
    public const int PreferenceAlignmentC = 7;
    public const int PreferenceAlignmentD = 8;

    /// <summary>A kernel with its settings, as the library likes to keep it.</summary>
    [InlineArray(8)]
    internal struct Algorithm
    {
        private ulong _word;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Heuristic
    {
        public Algorithm Algorithm;
        public nuint Workspace;
        public int State;
        public float Waves;
        private readonly ulong _reserved0,
            _reserved1;
    }

    [LibraryImport(Library, EntryPoint = "cublasLtCreate")]
    internal static partial int Create(out nint handle);

    [LibraryImport(Library, EntryPoint = "cublasLtDestroy")]
    internal static partial int Destroy(nint handle);

    [LibraryImport(Library, EntryPoint = "cublasLtGetStatusString")]
    private static partial nint StatusString(int status);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulDescCreate")]
    internal static partial int DescriptorCreate(out nint descriptor, int computeType, int scaleType);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulDescDestroy")]
    internal static partial int DescriptorDestroy(nint descriptor);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulDescSetAttribute")]
    internal static partial int DescriptorSet(nint descriptor, int attribute, void* value, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cublasLtMatrixLayoutCreate")]
    internal static partial int LayoutCreate(out nint layout, int type, ulong rows, ulong columns, long leadingDimension);

    [LibraryImport(Library, EntryPoint = "cublasLtMatrixLayoutDestroy")]
    internal static partial int LayoutDestroy(nint layout);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulPreferenceCreate")]
    internal static partial int PreferenceCreate(out nint preference);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulPreferenceDestroy")]
    internal static partial int PreferenceDestroy(nint preference);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulPreferenceSetAttribute")]
    internal static partial int PreferenceSet(nint preference, int attribute, void* value, nuint bytes);

    [LibraryImport(Library, EntryPoint = "cublasLtMatmulAlgoGetHeuristic")]
    internal static partial int Heuristics(
        nint handle,
        nint descriptor,
        nint a,
        nint b,
        nint c,
        nint d,
        nint preference,
        int wanted,
        out Heuristic result,
        out int found
    );

    [LibraryImport(Library, EntryPoint = "cublasLtMatmul")]
    internal static partial int Multiply(
        nint handle,
        nint descriptor,
        float* alpha,
        nint a,
        nint layoutA,
        nint b,
        nint layoutB,
        float* beta,
        nint c,
        nint layoutC,
        nint d,
        nint layoutD,
        in Algorithm algorithm,
        nint workspace,
        nuint workspaceBytes,
        nint stream
    );

    internal static void Check(int status, string call)
    {
        if (status != 0)
        {
            throw new CudaException(status, call, Marshal.PtrToStringUTF8(StatusString(status)) ?? "unknown status");
        }
    }
}
