using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Parity;

/// <summary><c>umt5_weights.pth</c>: the same tensors, byte for byte, as the <c>w.*</c> of <c>umt5.safetensors</c>.</summary>
internal static class PthParity
{
    public static void Check(ParityFile file)
    {
        using var pth = PthFile.Open(file.Path);
        using var golden = file.OpenSibling("umt5");
        var (expected, actual) = (golden.Weights.Entries, pth.Entries);
        foreach (var name in expected.Keys.Union(actual.Keys).Order(StringComparer.Ordinal))
        {
            var fault =
                !actual.ContainsKey(name) ? "is missing here"
                : !expected.ContainsKey(name) ? "is not in umt5.safetensors"
                : actual[name].Type != expected[name].Type || !actual[name].Shape.SequenceEqual(expected[name].Shape)
                    ? $"is {actual[name].Type} [{string.Join(", ", actual[name].Shape)}] instead of {expected[name].Type} "
                        + $"[{string.Join(", ", expected[name].Shape)}]"
                : SameBytes(pth, golden.Weights, name) ? null
                : "has other bytes";
            file.Report.Line(file.Name, name, fault ?? "exact", fault is null);
        }
    }

    private static unsafe bool SameBytes(ITensorSource a, ITensorSource b, string name)
    {
        using Tensor x = a.Load(name),
            y = b.Load(name);
        var bytes = x.numel() * x.element_size();
        return bytes == 0
            || new ReadOnlySpan<byte>(TensorMemory.Address(x), checked((int)bytes)).SequenceEqual(
                new ReadOnlySpan<byte>(TensorMemory.Address(y), checked((int)bytes))
            );
    }
}
