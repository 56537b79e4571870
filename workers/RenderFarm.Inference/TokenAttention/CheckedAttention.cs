using System.Globalization;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Inference.TokenAttention;

/// <summary>
/// Eight-bit attention that has to prove itself: when a block first runs, one of its heads is computed in full too. A block that
/// is off goes on in full, from that forward on, and says so.
/// </summary>
/// <param name="eightBit">Leaves what it is given as it is.</param>
/// <param name="limit">‖eight-bit − full‖ / ‖full‖ of a head.</param>
public sealed class CheckedAttention(IAttention eightBit, FullAttention full, double limit = CheckedAttention.DefaultLimit) : IAttention
{
    /// <summary>Twice what the worst head of structured and of random inputs had on a card: 0.026 and 0.041.</summary>
    public const double DefaultLimit = 0.08;

    private readonly HashSet<int> _checked = [];
    private readonly SortedDictionary<int, double> _off = [];

    /// <summary>Sentences for the user; empty while every block is right.</summary>
    public IReadOnlyList<string> Notes => _off.Count == 0 ? [] : [Note()];

    public Tensor Apply(int block, Tensor joined, HeadNorms norms, Tensor angles)
    {
        if (_off.ContainsKey(block))
        {
            return full.Apply(block, joined, norms, angles);
        }
        return _checked.Add(block) ? First(block, joined, norms, angles) : eightBit.Apply(block, joined, norms, angles);
    }

    private Tensor First(int block, Tensor joined, HeadNorms norms, Tensor angles)
    {
        using (joined)
        {
            using var scope = NewDisposeScope();
            var result = eightBit.Apply(block, joined.alias(), norms, angles);
            var (q, k, v) = full.Turned(joined, norms, angles);
            var error = Error(result, q, k, v, head: block % norms.Heads);
            // NaN is off too
            if (error <= limit)
            {
                return result.MoveToOuterDisposeScope();
            }
            _off.Add(block, error);
            result.Dispose();
            return Attention.Apply(q, k, v).MoveToOuterDisposeScope();
        }
    }

    private static double Error(Tensor result, Tensor q, Tensor k, Tensor v, int head)
    {
        using var scope = NewDisposeScope();
        var exact = Attention.Apply(q.narrow(2, head, 1), k.narrow(2, head, 1), v.narrow(2, head, 1)).to(ScalarType.Float32);
        var near = result.narrow(2, head * q.shape[3], q.shape[3]).to(ScalarType.Float32);
        return ((near - exact).norm() / exact.norm()).item<float>();
    }

    private string Note()
    {
        var blocks = string.Join(", ", _off.Select(one => string.Create(CultureInfo.InvariantCulture, $"{one.Key} ({one.Value:0.00})")));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"eight-bit attention was off by more than {limit} in {(_off.Count == 1 ? "block" : "blocks")} {blocks}: attended in full there"
        );
    }
}
