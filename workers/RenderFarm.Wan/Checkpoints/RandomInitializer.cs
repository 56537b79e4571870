using System.Text;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>Normal distribution that one tensor is drawn from.</summary>
public readonly record struct Spread(double Mean, double Deviation);

/// <summary>
/// Scales at which an untrained model behaves like a trained one: activations neither die nor explode, attention is
/// neither flat nor one-hot, every gate lets something through, and no product runs faster than on real weights
/// because of zeros.
/// </summary>
public static class RandomInitializer
{
    /// <summary>A generator's seed for one tensor: by its name, so that order and place change nothing.</summary>
    public static ulong SeedOf(long seed, string name) => Fnv1a(name) ^ (ulong)seed * 0x9E3779B97F4A7C15;

    public static Spread For(ExpectedTensor tensor)
    {
        var name = tensor.Name;
        var last = name[(name.LastIndexOf('.') + 1)..];
        return last switch
        {
            "gamma" => new Spread(1, 0.1),
            "weight" when tensor.Shape.Count == 1 => new Spread(1, 0.1), // Every norm
            "bias" => new Spread(0, 0.05),
            "modulation" => new Spread(0, 1 / Math.Sqrt(tensor.Shape[^1])),
            "emb_pos" or "pos_embedding" or "cls_embedding" => new Spread(0, 0.02),
            "head" => new Spread(0, 1 / Math.Sqrt(tensor.Shape[0])), // [in, out] in CLIP
            _ when name.EndsWith("token_embedding.weight", StringComparison.Ordinal) => new Spread(0, 1),
            _ when name.EndsWith("pos_embedding.embedding.weight", StringComparison.Ordinal) => new Spread(0, 0.5),
            // UMT5 multiplies q and k without 1/sqrt(head dim); there that factor (heads of 64) sits in q
            _ when name.EndsWith(".attn.q.weight", StringComparison.Ordinal) => new Spread(0, 1 / Math.Sqrt(tensor.FanIn * 64.0)),
            _ => new Spread(0, 1 / Math.Sqrt(tensor.FanIn)),
        };
    }

    private static ulong Fnv1a(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var octet in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ octet) * 1099511628211UL;
        }

        return hash;
    }
}
