using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>A row of numbers for each run of tokens: modulation that differs between tokens at different timesteps.</summary>
/// <param name="Rows">Float32 [B, R, dim]; B may be 1 for all samples.</param>
/// <param name="Runs">How many tokens each of the R rows is for; the last takes the rest.</param>
public readonly record struct PerRun(Tensor Rows, IReadOnlyList<long> Runs);

/// <summary>Layer norm (biased variance) and what follows it: norm(x)·scale + shift, or norm(x)·(1 + scale) + shift.</summary>
/// <param name="AddsOne">Modulation learns the difference from 1; the weight of an affine norm is the factor itself.</param>
public readonly record struct NormAffine(PerRun Scale, PerRun Shift, bool AddsOne, double Epsilon);

/// <summary>
/// What a transformer block does to its tokens between products. <see cref="PlainTokenOps"/> says what each computes;
/// <see cref="FusedTokenOps"/> does the same in one pass over memory. x is the residual stream, float32 [B, L, dim]: the
/// caller gives it up and goes on with the one returned, which may be the same memory.
/// </summary>
public interface ITokenOps
{
    /// <summary>affine(norm(x)), ready for a product.</summary>
    Activation Norm(Tensor x, NormAffine affine, RowFormat format);

    /// <summary>x + y·gate (no gate: x + y), and its norm ready for a product.</summary>
    (Tensor X, Activation Normed) AddNorm(Tensor x, Tensor y, PerRun? gate, NormAffine affine, RowFormat format);

    /// <summary>x + y·gate.</summary>
    Tensor Add(Tensor x, Tensor y, PerRun? gate);

    /// <summary>
    /// RMS norm over full rows, all heads together, times a float32 weight; then each adjacent pair of a head turned by its
    /// token's angle. [B, L, H·D] (columns of a wider matrix allowed) → [B, L, H, D] in the same type.
    /// </summary>
    /// <param name="angles">Complex [L, 1, D/2]; null turns nothing.</param>
    Tensor NormRotate(Tensor x, Tensor weight, double epsilon, int heads, Tensor? angles);

    /// <summary>Rows as they are, ready for a product.</summary>
    Activation Rows(Tensor x, RowFormat format);

    /// <summary>tanh-GELU, ready for a product. Takes x over.</summary>
    Activation Gelu(Tensor x, RowFormat format);
}
