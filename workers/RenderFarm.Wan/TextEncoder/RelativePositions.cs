using System.Numerics;
using static TorchSharp.torch;

namespace RenderFarm.Wan.TextEncoder;

/// <summary>
/// T5's relative-position buckets, both directions: half of them for keys behind the query, half for keys ahead. In a
/// half, near distances have a bucket each and far ones share buckets whose width grows geometrically up to distance 128.
/// </summary>
public sealed class RelativePositions
{
    private const int MaxDistance = 128;

    private readonly int _half;
    private readonly int[] _starts; // By bucket of a half, its least distance

    public RelativePositions(int buckets)
    {
        if (buckets < 4 || buckets % 4 != 0)
        {
            throw new ArgumentOutOfRangeException(nameof(buckets), buckets, "buckets must be a multiple of 4.");
        }

        _half = buckets / 2;
        _starts = [.. Enumerable.Range(0, _half).Select(bucket => Start(bucket, exact: _half / 2))];
    }

    /// <summary>Bucket of a key that stands <paramref name="offset"/> places after the query.</summary>
    public int Bucket(int offset)
    {
        var distance = Math.Abs(offset);
        var bucket = Array.FindLastIndex(_starts, start => start <= distance);
        return offset > 0 ? _half + bucket : bucket;
    }

    /// <summary>Buckets of all pairs: int64 [length, length], query by key.</summary>
    public Tensor Matrix(int length, Device device)
    {
        var byOffset = new long[Math.Max(0, 2 * length - 1)];
        for (var i = 0; i < byOffset.Length; i++)
        {
            byOffset[i] = Bucket(i - (length - 1));
        }

        var matrix = new long[length * length];
        for (var query = 0; query < length; query++)
        {
            Array.Copy(byOffset, length - 1 - query, matrix, query * length, length);
        }

        using var host = tensor(matrix, [length, length]);
        return host.to(device, copy: true);
    }

    /// <summary>
    /// The least d with trunc(ln(d / exact) / ln(128 / exact) · exact) ≥ bucket − exact, in whole numbers: a logarithm would
    /// put the exact powers on either side, depending on who computes it.
    /// </summary>
    private static int Start(int bucket, int exact)
    {
        if (bucket <= exact)
        {
            return bucket;
        }

        var over = bucket - exact;
        var limit = BigInteger.Pow(MaxDistance, over) * BigInteger.Pow(exact, exact - over);
        var distance = exact;
        while (BigInteger.Pow(distance, exact) < limit)
        {
            distance++;
        }

        return distance;
    }
}
