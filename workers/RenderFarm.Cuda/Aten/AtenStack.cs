using System.Runtime.InteropServices;
using RenderFarm.Cuda.Native;
using static TorchSharp.torch;

namespace RenderFarm.Cuda.Aten;

/// <summary>
/// One call of an ATen operator through libtorch's stable C interface: arguments are pushed in the order of the operator's
/// schema, all of them; results come back in the first places. Tensors pushed stay the caller's.
/// </summary>
internal unsafe ref struct AtenStack(string name, string overload, Span<ulong> places)
{
    private readonly Span<ulong> _places = places;
    private readonly List<string> _said = [];
    private int _count;

    public AtenStack Push(Tensor tensor)
    {
        _said.Add($"{tensor.dtype} [{string.Join(", ", tensor.shape)}]");
        return PushBits((ulong)Handle(tensor));
    }

    public AtenStack PushOptional(Tensor? tensor)
    {
        if (tensor is null)
        {
            return PushNone();
        }

        _said.Add($"{tensor.dtype} [{string.Join(", ", tensor.shape)}]");
        return PushBits(Boxed((ulong)Handle(tensor)));
    }

    public AtenStack Push(bool value)
    {
        _said.Add(value ? "true" : "false");
        return PushBits(value ? 1ul : 0ul);
    }

    public AtenStack Push(ScalarType type, bool optional = false)
    {
        _said.Add($"{type}");
        var bits = (ulong)(uint)(int)type; // TorchSharp's numbers are libtorch's own
        return PushBits(optional ? Boxed(bits) : bits);
    }

    public AtenStack PushNone()
    {
        _said.Add("none");
        return PushBits(0);
    }

    /// <exception cref="InvalidOperationException">Names the operator and what it was called on.</exception>
    public readonly Tensor Call()
    {
        fixed (ulong* stack = _places)
        {
            // The dispatcher consumes the handles it was given, and boxes, also when the operator fails
            if (StableAten.CallDispatcher(name, overload, stack) != 0)
            {
                throw new InvalidOperationException(
                    $"{name}{(overload.Length == 0 ? "" : "." + overload)} failed on ({string.Join(", ", _said)})"
                );
            }

            return Tensor.UnsafeCreateTensor((nint)stack[0]);
        }
    }

    private AtenStack PushBits(ulong bits)
    {
        _places[_count++] = bits;
        return this;
    }

    /// <summary>An optional travels as a pointer to a heap word that libtorch frees.</summary>
    private static ulong Boxed(ulong bits)
    {
        var box = (ulong*)NativeMemory.Alloc(sizeof(ulong));
        *box = bits;
        return (ulong)box;
    }

    private static nint Handle(Tensor tensor)
    {
        if (StableAten.NewTensorHandle(tensor.Handle, out var handle) != 0)
        {
            throw new InvalidOperationException("libtorch gave no handle of the tensor");
        }

        return handle;
    }
}
