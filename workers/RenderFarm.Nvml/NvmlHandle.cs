using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RenderFarm.Nvml;

/// <summary>
/// The loaded library. Calls in flight keep it loaded (<see cref="Enter"/>), so that a dispose on another thread waits for
/// them instead of pulling the code from under their feet.
/// </summary>
internal sealed unsafe class NvmlHandle : SafeHandleZeroOrMinusOneIsInvalid
{
    private bool _started;

    public NvmlHandle()
        : base(ownsHandle: true) { }

    public static NvmlHandle? TryLoad(string library)
    {
        if (!NativeLibrary.TryLoad(library, out var loaded))
        {
            return null;
        }

        var handle = new NvmlHandle();
        handle.SetHandle(loaded);
        return handle;
    }

    /// <summary>Asks the library for its services; it is told when they are no longer needed.</summary>
    public int Start()
    {
        var code = ((delegate* unmanaged<int>)NativeLibrary.GetExport(handle, "nvmlInit_v2"))();
        _started = code == 0;
        return code;
    }

    /// <summary>A function's address, which stays good until the result is disposed.</summary>
    /// <exception cref="EntryPointNotFoundException">An older driver without that function.</exception>
    public NvmlCall Enter(string function)
    {
        var held = false;
        DangerousAddRef(ref held);
        if (NativeLibrary.TryGetExport(handle, function, out var address))
        {
            return new NvmlCall(this, address);
        }

        DangerousRelease();
        throw new EntryPointNotFoundException($"the driver's library has no {function}; update the driver");
    }

    public bool Has(string function) => NativeLibrary.TryGetExport(handle, function, out _);

    protected override bool ReleaseHandle()
    {
        if (_started && NativeLibrary.TryGetExport(handle, "nvmlShutdown", out var shutdown))
        {
            _ = ((delegate* unmanaged<int>)shutdown)();
        }

        NativeLibrary.Free(handle);
        return true;
    }
}

/// <summary>One call under way.</summary>
internal readonly ref struct NvmlCall(NvmlHandle library, nint function)
{
    public nint Function => function;

    public void Dispose() => library.DangerousRelease();
}
