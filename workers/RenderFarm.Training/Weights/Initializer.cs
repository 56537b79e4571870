using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Training.Weights;

/// <summary>
/// What training starts from: products that keep the scale of their input, branches that begin small, an output that begins
/// at nothing. Drawn on the CPU from the seed and the tensor's name, so that order and device change nothing.
/// </summary>
internal static class Initializer
{
    private const int Taps = 3;

    public static Func<TensorEntry, Tensor> For(long seed) =>
        entry =>
        {
            var (mean, deviation) = Spread(entry);
            using var generator = new Generator((ulong)seed * 0x9E3779B97F4A7C15 ^ Hash(entry.Name), CPU);
            var drawn = randn([.. entry.Shape], dtype: ScalarType.Float32, generator: generator).mul_(deviation).add_(mean);
            return entry.Shape is [_, _, Taps, _, _] ? OverTime(entry, drawn) : drawn;
        };

    /// <summary>
    /// A convolution over time begins as one over the newest frame alone, so that what the VAE learns from single frames holds for
    /// clips; one that halves or doubles the frames begins as a mean or a copy.
    /// </summary>
    private static Tensor OverTime(TensorEntry entry, Tensor drawn)
    {
        var (older, newest) = (drawn.narrow(2, 0, Taps - 1), drawn.narrow(2, Taps - 1, 1));
        if (!entry.Name.EndsWith("time_conv.weight", StringComparison.Ordinal))
        {
            newest.mul_(Math.Sqrt(Taps)); // Its inputs are a third of those that the deviation was made for
            older.mul_(0.1);
            return drawn;
        }
        var channels = entry.Shape[1];
        var copy = eye(channels).repeat(entry.Shape[0] / channels, 1).view(entry.Shape[0], channels, 1, 1, 1);
        var halves = entry.Shape[0] == channels;
        drawn.mul_(0.3);
        newest.add_(copy, alpha: halves ? 0.5 : 1);
        if (halves)
        {
            drawn.narrow(2, Taps - 2, 1).add_(copy, alpha: 0.5);
        }

        return drawn;
    }

    private static (double Mean, double Deviation) Spread(TensorEntry entry)
    {
        var name = entry.Name;
        double fan = entry.Shape.Skip(1).Aggregate(1L, (product, size) => product * size);
        var usual = 1 / Math.Sqrt(fan);
        bool Ends(string end) => name.EndsWith(end, StringComparison.Ordinal);
        return name switch
        {
            _ when Ends("gamma") || Ends("weight") && entry.Shape.Count == 1 => (1, 0), // Every norm
            _ when Ends("bias") => (0, 0),
            _ when Ends("modulation") => (0, 1 / Math.Sqrt(entry.Shape[^1])),
            _ when Ends("head.head.weight") => (0, 0),
            _ when Ends("time_projection.1.weight") => (0, 0.3 * usual),
            _ when Ends("token_embedding.weight") => (0, 1),
            _ when Ends("pos_embedding.embedding.weight") => (0, 0.3),
            // UMT5 multiplies q and k without 1/√d; its heads here are 32 wide
            _ when name.StartsWith("text.", StringComparison.Ordinal) && Ends("attn.q.weight") => (0, usual / Math.Sqrt(32)),
            // Most rows that cross-attention averages over are padding, which says nothing: what is left of a prompt must still
            // be heard, or captions are learned several times more slowly
            _ when Ends("cross_attn.v.weight") => (0, 8 * usual),
            _ when Ends("cross_attn.o.weight") => (0, usual),
            // The last product of a residual branch
            _ when Ends("residual.6.weight")
                    || Ends("proj.weight")
                    || Ends("attn.o.weight")
                    || Ends("ffn.2.weight")
                    || Ends("ffn.fc2.weight") => (0, 0.4 * usual),
            _ => (0, usual),
        };
    }

    private static ulong Hash(string text) => text.Aggregate(14695981039346656037UL, (hash, letter) => (hash ^ letter) * 1099511628211UL);
}
