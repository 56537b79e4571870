using System.Text;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Synthetic;

/// <summary>
/// Values that depend on a name and an index only, so that reference results can be written down without their weights:
/// FNV-1a of the name, an integer mix of both, spread over [−1, 1).
/// </summary>
internal static class SyntheticValues
{
    public static double[] Of(string name, long count)
    {
        var hash = 2166136261;
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            hash = (hash ^ b) * 16777619;
        }

        var values = new double[count];
        for (long j = 0; j < count; j++)
        {
            var x = (uint)((ulong)j * 2654435761 + hash);
            x ^= x >> 15;
            x *= 2246822519;
            x ^= x >> 13;
            x *= 3266489917;
            x ^= x >> 16;
            values[j] = x / 4294967296.0 * 2 - 1;
        }
        return values;
    }

    public static Tensor Input(string name, double scale, params long[] shape)
    {
        var values = Of("input:" + name, shape.Aggregate(1L, (product, size) => product * size));
        using var unaligned = tensor(values.Select(u => (float)(u * scale)).ToArray(), shape);
        return unaligned.clone();
    }
}
