using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Inference.TokenAttention;

/// <summary>
/// The definition of eight-bit attention, in plain tensors on any device: int8 products of q and k, e4m3 products of the softmax
/// and v or products of both in bf16, each tile's sum added in float32. What <see cref="FusedEightBitAttention"/> must compute, except for
/// the order of sums.
/// </summary>
/// <remarks>
/// A vector taken from every key adds the same number to all scores of a query, and the softmax takes it out again: so the
/// keys' mean goes, and a sample of the tokens is near enough. Both sides are turned by Hadamard matrices, which leaves their
/// products as they are and spreads what stands out over the channels. The softmax's sum counts what was rounded.
/// </remarks>
/// <param name="roundsValues">To e4m3, and the softmax with them; both are taken in bf16 otherwise.</param>
public sealed class PlainEightBitAttention(bool roundsValues = true) : IAttention
{
    /// <summary>Keys that share a scale, and whose sum is added at once.</summary>
    public const int TileKeys = 128;

    /// <summary>Tokens that the keys' mean is taken over.</summary>
    public const int Samples = 512;

    /// <summary>That are turned together, so that what stands out in one is spread over all of them.</summary>
    private const int TurnedChannels = 32;

    private const double MostInt8 = 127;

    /// <summary>A maximum too small to divide by counts as none.</summary>
    private const double Nothing = 1e-30;

    private static readonly PlainTokenOps Ops = new(ScalarType.Float32);

    /// <summary>Of the largest p.</summary>
    private readonly double _topExponent = roundsValues ? Math.Log2(Float8.Max) : 0;

    public Tensor Apply(int block, Tensor joined, HeadNorms norms, Tensor angles)
    {
        using (joined)
        {
            using var scope = NewDisposeScope();
            var parts = joined.to(ScalarType.Float32).chunk(3, 2);
            var q = Ops.NormRotate(parts[0], norms.Query, norms.Epsilon, norms.Heads, angles);
            var k = Ops.NormRotate(parts[1], norms.Key, norms.Epsilon, norms.Heads, angles);
            var v = parts[2].unflatten(2, norms.Heads, q.shape[3]);
            var samples = Enumerable.Range(0, (int)q.shape[0]).Select(i => OneSample(q[i], k[i], v[i])).ToList();
            return stack(samples, 0).to(joined.dtype).MoveToOuterDisposeScope();
        }
    }

    /// <summary>[L, H, D] each → [L, H·D].</summary>
    private Tensor OneSample(Tensor q, Tensor k, Tensor v)
    {
        using var scope = NewDisposeScope();
        var (tokens, dim) = (q.shape[0], q.shape[2]);
        var (q8, queryScales) = Int8(Spread(q.transpose(0, 1)), dims: [2]); // [H, L, D] and [H, L, 1]
        var (k8, keyScales) = Keys(k.transpose(0, 1)); // [H, T, 128, D] and [H, T, 1, 1]
        var (v8, valueScales) = Values(v.transpose(0, 1)); // [H, L, D] and [H, 1, D]
        var tempered = queryScales * (Math.Log2(Math.E) / Math.Sqrt(dim));

        var highest = full([q.shape[1], tokens, 1], -1e30, ScalarType.Float32, q.device);
        var sum = zeros_like(highest);
        var output = zeros([q.shape[1], tokens, dim], ScalarType.Float32, q.device);
        for (long tile = 0, start = 0; start < tokens; tile++, start += TileKeys)
        {
            var keys = Math.Min(TileKeys, tokens - start);
            var factor = tempered * keyScales.select(1, tile);
            var exponents = q8.matmul(k8.select(1, tile).narrow(1, 0, keys).transpose(1, 2)) * factor;
            var now = maximum(highest, exponents.amax([2], keepdim: true) - _topExponent);
            var shrink = exp2(highest - now);
            var p = exp2(exponents - now);
            var rounded = roundsValues ? Round8(p) : p.to(ScalarType.BFloat16).to(ScalarType.Float32);
            sum = (sum * shrink) + rounded.sum(2, keepdim: true);
            output = (output * shrink) + rounded.matmul(v8.narrow(1, start, keys));
            highest = now;
        }
        return (output / sum * valueScales).transpose(0, 1).flatten(1).MoveToOuterDisposeScope();
    }

    private static (Tensor Values, Tensor Scales) Keys(Tensor k)
    {
        var tokens = k.shape[1];
        var count = Math.Min(tokens, Samples);
        using var sample = tensor([.. Enumerable.Range(0, (int)count).Select(i => i * tokens / count)], device: k.device);
        var turned = Spread(k - k.index_select(1, sample).mean([1], keepdim: true));
        var tiles = (tokens + TileKeys - 1) / TileKeys;
        var padded = nn.functional.pad(turned, (0, 0, 0, (tiles * TileKeys) - tokens)).unflatten(1, tiles, TileKeys);
        return Int8(padded, dims: [2, 3]);
    }

    private (Tensor Values, Tensor Scales) Values(Tensor v)
    {
        if (!roundsValues)
        {
            return (v, ones_like(v.narrow(1, 0, 1)));
        }

        var scales = Quantum(v.abs().amax([1], keepdim: true), Float8.Max);
        return (Round8(v * scales.reciprocal()), scales);
    }

    /// <summary>Whole numbers as float32, whose products are exact: a sum of 128 stays far below 2²⁴.</summary>
    private static (Tensor Values, Tensor Scales) Int8(Tensor x, long[] dims)
    {
        var scales = Quantum(x.abs().amax(dims, keepdim: true), MostInt8);
        return ((x * scales.reciprocal()).round(), scales);
    }

    private static Tensor Quantum(Tensor largest, double most) => where(largest < Nothing, ones_like(largest), largest / most);

    private static Tensor Round8(Tensor x) => x.clamp(-Float8.Max, Float8.Max).to(Float8.Type).to(ScalarType.Float32);

    /// <summary>Every <see cref="TurnedChannels"/> of the last dimension by a Hadamard matrix.</summary>
    private static Tensor Spread(Tensor x)
    {
        if (x.shape[^1] % TurnedChannels != 0)
        {
            throw new ArgumentException($"heads of {x.shape[^1]} channels; eight-bit attention takes multiples of "
                + $"{TurnedChannels}", nameof(x));
        }

        using var matrix = Hadamard(x.device);
        return x.unflatten(x.dim() - 1, x.shape[^1] / TurnedChannels, TurnedChannels).matmul(matrix).flatten(-2);
    }

    /// <summary>Orthonormal and symmetric.</summary>
    private static Tensor Hadamard(Device device)
    {
        var matrix = ones([1, 1], ScalarType.Float32, device);
        while (matrix.shape[0] < TurnedChannels)
        {
            matrix = cat([cat([matrix, matrix], 1), cat([matrix, -matrix], 1)], 0);
        }

        return matrix / Math.Sqrt(TurnedChannels);
    }
}
