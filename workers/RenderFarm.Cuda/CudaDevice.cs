using RenderFarm.Cuda.Native;
using static RenderFarm.Cuda.Native.CudaRuntime;

namespace RenderFarm.Cuda;

/// <summary>The cards that this process sees; a renderer sees exactly one, number 0.</summary>
public static class CudaDevice
{
    private const int ComputeCapabilityMajor = 75;
    private const int ComputeCapabilityMinor = 76;
    private const int MostSharedBytesOptIn = 97;

    /// <summary>0 without a card, a driver or the CUDA libraries.</summary>
    public static int Count
    {
        get
        {
            if (!CudaLibraries.IsPresent(CudaLibraries.Driver) || !CudaLibraries.IsPresent(CudaLibraries.Runtime))
            {
                return 0;
            }

            return CudaRuntime.DeviceCount(out var count) == 0 ? count : 0;
        }
    }

    /// <summary>9.0 is (9, 0).</summary>
    public static (int Major, int Minor) ComputeCapability
    {
        get
        {
            Check(DeviceAttribute(out var major, ComputeCapabilityMajor, 0), "cudaDeviceGetAttribute");
            Check(DeviceAttribute(out var minor, ComputeCapabilityMinor, 0), "cudaDeviceGetAttribute");
            return (major, minor);
        }
    }

    /// <summary>Shared memory that a block may ask for at most.</summary>
    public static int MostSharedBytes
    {
        get
        {
            Check(DeviceAttribute(out var bytes, MostSharedBytesOptIn, 0), "cudaDeviceGetAttribute");
            return bytes;
        }
    }

    /// <summary>CUDA version that the driver supports, 13000 for 13.0.</summary>
    public static int DriverVersion
    {
        get
        {
            Check(CudaRuntime.DriverVersion(out var version), "cudaDriverGetVersion");
            return version;
        }
    }

    /// <summary>Bytes, as the card's other processes leave them.</summary>
    public static (long Free, long Total) Memory
    {
        get
        {
            Check(MemoryInfo(out var free, out var total), "cudaMemGetInfo");
            return ((long)free, (long)total);
        }
    }

    /// <summary>Waits until all enqueued work is done.</summary>
    public static void Synchronize() => Check(DeviceSynchronize(), "cudaDeviceSynchronize");
}
