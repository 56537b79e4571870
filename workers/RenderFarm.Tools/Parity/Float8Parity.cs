using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary>
/// <c>fp8_cast</c>: float32 → e4m3 and back, as bytes and as values. The cast does not saturate: what rounds beyond ±448 turns
/// into NaN, unless it was clamped first.
/// </summary>
internal static class Float8Parity
{
    private const double Largest = 448;

    public static void Check(ParityFile file)
    {
        using var golden = file.Open();
        var x = golden.Input("x");
        var cast = x.to(ElementType.Float8E4M3);
        file.Compare(golden, "e4m3_bytes", Bytes(cast));
        file.Compare(golden, "e4m3_back", cast.to(ScalarType.Float32));
        file.Compare(golden, "e4m3_clamped_back", x.clamp(-Largest, Largest).to(ElementType.Float8E4M3).to(ScalarType.Float32));
    }

    private static Tensor Bytes(Tensor cast)
    {
        using var host = cast.cpu();
        var bytes = empty(cast.shape, dtype: ScalarType.Byte);
        TensorMemory.CopyInto(bytes, host.bytes);
        return bytes;
    }
}
