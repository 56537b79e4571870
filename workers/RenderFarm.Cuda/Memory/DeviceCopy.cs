using static RenderFarm.Cuda.Native.CudaRuntime;

namespace RenderFarm.Cuda.Memory;

/// <summary>Bytes between host and device. Asynchronous only when the host side is page-locked.</summary>
public static class DeviceCopy
{
    private const int HostToDevice = 1;
    private const int DeviceToHost = 2;

    public static void ToDevice(nint destination, nint source, long bytes, CudaStream stream) =>
        Check(
            CopyAsync(destination, source, (nuint)bytes, HostToDevice, stream.DangerousGetHandle()),
            $"cudaMemcpyAsync of {bytes:N0} bytes to the device"
        );

    public static void ToHost(nint destination, nint source, long bytes, CudaStream stream) =>
        Check(
            CopyAsync(destination, source, (nuint)bytes, DeviceToHost, stream.DangerousGetHandle()),
            $"cudaMemcpyAsync of {bytes:N0} bytes to the host"
        );
}
