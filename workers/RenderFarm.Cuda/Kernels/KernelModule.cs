using RenderFarm.Cuda.Native;

namespace RenderFarm.Cuda.Kernels;

/// <summary>A compiled source, loaded into the card; kernels live as long as it does.</summary>
public sealed unsafe class KernelModule : IDisposable
{
    private const int MostDynamicSharedBytes = 8;

    private readonly string _name;
    private nint _module;

    internal KernelModule(string name, byte[] image)
    {
        _name = name;
        fixed (byte* pointer = image)
        {
            CudaDriver.Check(CudaDriver.ModuleLoad(out _module, pointer), $"cuModuleLoadData of {name}");
        }
    }

    /// <param name="sharedBytes">Shared memory that a block is launched with, besides what the source declares.</param>
    public CudaKernel Kernel(string function, int sharedBytes = 0)
    {
        CudaDriver.Check(CudaDriver.ModuleFunction(out var handle, _module, function), $"cuModuleGetFunction {function} of {_name}");
        if (sharedBytes > 0)
        {
            CudaDriver.Check(
                CudaDriver.FunctionAttribute(handle, MostDynamicSharedBytes, sharedBytes),
                $"{sharedBytes} bytes of shared memory for {function} of {_name}"
            );
        }
        return new CudaKernel(function, handle, sharedBytes);
    }

    public void Dispose()
    {
        if (_module == 0)
        {
            return;
        }

        CudaDriver.Check(CudaDriver.ModuleUnload(_module), $"cuModuleUnload of {_name}");
        _module = 0;
    }
}
