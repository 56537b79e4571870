namespace RenderFarm.Cuda.Native;

/// <summary>A CUDA call failed.</summary>
public sealed class CudaException(int status, string call, string reason) : Exception($"{call}: {reason} (CUDA error {status})")
{
    private const int MemoryAllocation = 2;

    public int Status { get; } = status;

    public bool IsOutOfMemory => Status == MemoryAllocation;
}
