using System.Runtime.CompilerServices;
using RenderFarm.Cuda.Native;

namespace RenderFarm.Cuda.Kernels;

/// <summary>One argument of a kernel: a device pointer or a number, by the bits the kernel will read.</summary>
public readonly struct KernelArgument
{
    internal readonly ulong Bits;

    private KernelArgument(ulong bits) => Bits = bits;

    public static implicit operator KernelArgument(nint pointer) => new((ulong)pointer);

    public static implicit operator KernelArgument(int value) => new((uint)value);

    public static implicit operator KernelArgument(long value) => new((ulong)value);

    public static implicit operator KernelArgument(float value) => new(BitConverter.SingleToUInt32Bits(value));
}

/// <summary>A function on the card.</summary>
public sealed unsafe class CudaKernel
{
    private readonly string _name;
    private readonly nint _function;
    private readonly int _sharedBytes;

    internal CudaKernel(string name, nint function, int sharedBytes) => (_name, _function, _sharedBytes) = (name, function, sharedBytes);

    /// <summary>
    /// Enqueues on libtorch's stream. The caller keeps every tensor behind the arguments alive until it has enqueued this; the
    /// allocator's stream order does the rest.
    /// </summary>
    [SkipLocalsInit]
    public void Launch((long X, int Y) grid, int threads, params ReadOnlySpan<KernelArgument> arguments)
    {
        if (grid.X == 0)
        {
            return;
        }

        fixed (KernelArgument* values = arguments)
        {
            var pointers = stackalloc void*[arguments.Length];
            for (var i = 0; i < arguments.Length; i++)
            {
                pointers[i] = values + i;
            }

            CudaDriver.Check(
                CudaDriver.Launch(
                    _function,
                    checked((uint)grid.X),
                    (uint)grid.Y,
                    1,
                    (uint)threads,
                    1,
                    1,
                    (uint)_sharedBytes,
                    0,
                    pointers,
                    null
                ),
                $"launching {_name} on a grid of {grid.X} × {grid.Y}"
            );
        }
    }
}
