using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Safetensors;

/// <summary>Bytes into and out of host tensors of any type and size; TorchSharp's own accessors end at 2 GiB and know no float8.</summary>
public static unsafe class TensorMemory
{
    /// <summary>The first byte of a contiguous host tensor that has at least one element.</summary>
    public static byte* Address(Tensor tensor)
    {
        if (tensor.device_type != DeviceType.CPU)
        {
            throw new ArgumentException("is not in host memory", nameof(tensor));
        }

        if (!tensor.is_contiguous())
        {
            throw new ArgumentException("is not contiguous", nameof(tensor));
        }

        using var flat = tensor.view(-1);
        using var first = flat.narrow(0, 0, 1); // A span over all of it would end at 2 GiB
        fixed (byte* address = first.bytes)
        {
            return address; // Native memory: it doesn't move
        }
    }

    public static void CopyInto(Tensor tensor, byte* source, long bytes) =>
        Buffer.MemoryCopy(source, Address(tensor), checked(tensor.numel() * tensor.element_size()), bytes);

    public static void CopyInto(Tensor tensor, ReadOnlySpan<byte> source)
    {
        if (source.IsEmpty)
        {
            return;
        }

        fixed (byte* start = source)
        {
            CopyInto(tensor, start, source.Length);
        }
    }

    /// <summary>Reads a whole contiguous host tensor from a stream.</summary>
    public static void Fill(Tensor tensor, Stream source)
    {
        var left = tensor.numel() * tensor.element_size();
        if (left == 0)
        {
            return;
        }

        for (var at = Address(tensor); left > 0;)
        {
            var piece = new Span<byte>(at, (int)Math.Min(left, 1 << 24));
            source.ReadExactly(piece);
            at += piece.Length;
            left -= piece.Length;
        }
    }
}
