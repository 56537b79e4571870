using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>
/// Timestep → e, for the head, and e0, the six modulations of the blocks. In float32 whatever the compute type:
/// bf16 would destroy sinusoid arguments of up to 1000.
/// </summary>
internal sealed class TimeEmbedding(IWeights weights, TransformerShape shape)
{
    private readonly Linear _time0 = weights.As(ScalarType.Float32).Linear("time_embedding.0", shape.FrequencyDim, shape.Dim);
    private readonly Linear _time2 = weights.As(ScalarType.Float32).Linear("time_embedding.2", shape.Dim, shape.Dim);
    private readonly Linear _projection = weights.As(ScalarType.Float32).Linear("time_projection.1", shape.Dim, 6 * shape.Dim);

    /// <param name="timesteps">[B, R], R being the distinct timesteps of a sample.</param>
    /// <returns>e [B, R, dim] and e0 [B, R, 6, dim]</returns>
    public (Tensor E, Tensor E0) Apply(Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var x = Sinusoid(timesteps, shape.FrequencyDim); // [B, R, freq]
        var e = _time2.Apply(nn.functional.silu(_time0.Apply(x))); // [B, R, dim]
        var e0 = _projection.Apply(nn.functional.silu(e)).unflatten(2, 6, shape.Dim); // [B, R, 6, dim]
        return (e.MoveToOuterDisposeScope(), e0.MoveToOuterDisposeScope());
    }

    /// <summary>[…] → float32 […, dim]: all cosines, then all sines, of t · 10000^(−i/half). Formed in float64.</summary>
    public static Tensor Sinusoid(Tensor timesteps, int dim)
    {
        using var scope = NewDisposeScope();
        var half = dim / 2;
        var frequency = pow(10000.0, arange(half, dtype: ScalarType.Float64, device: timesteps.device) / -half);
        var angle = timesteps.to(ScalarType.Float64).unsqueeze(-1) * frequency;
        return cat([angle.cos(), angle.sin()], -1).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
