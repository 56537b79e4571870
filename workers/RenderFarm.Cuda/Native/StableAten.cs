using System.Runtime.InteropServices;

namespace RenderFarm.Cuda.Native;

/// <summary>libtorch's stable C interface. A tensor handle is a pointer to an <c>at::Tensor</c>, the same thing as TorchSharp's.</summary>
internal static unsafe partial class StableAten
{
    private const string Library = CudaLibraries.Torch;

    /// <summary>Major, minor and patch, a byte each from the top.</summary>
    [LibraryImport(Library, EntryPoint = "aoti_torch_abi_version")]
    internal static partial ulong AbiVersion();

    [LibraryImport(Library, EntryPoint = "aoti_torch_call_dispatcher", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int CallDispatcher(string name, string overload, ulong* stack);

    [LibraryImport(Library, EntryPoint = "aoti_torch_new_tensor_handle")]
    internal static partial int NewTensorHandle(nint tensor, out nint handle);

    [LibraryImport(Library, EntryPoint = "aoti_torch_delete_tensor_object")]
    internal static partial int DeleteTensorHandle(nint handle);

    [LibraryImport(Library, EntryPoint = "aoti_torch_get_data_ptr")]
    internal static partial int DataPointer(nint tensor, out nint pointer);

    [LibraryImport(Library, EntryPoint = "aoti_torch_create_tensor_from_blob_v2")]
    internal static partial int FromBlob(
        nint data,
        long rank,
        long* sizes,
        long* strides,
        long storageOffset,
        int type,
        int deviceType,
        int deviceIndex,
        out nint handle,
        int layout,
        byte* opaque,
        long opaqueBytes
    );
}
