using static TorchSharp.torch;

namespace RenderFarm.Inference.TokenAttention;

/// <summary>What q and k go through before they meet: RMS norm over full rows, all heads together, times a float32 weight.</summary>
/// <param name="Query">[H·D]</param>
/// <param name="Key">[H·D]</param>
public sealed record HeadNorms(Tensor Query, Tensor Key, double Epsilon, int Heads);

/// <summary>
/// How the tokens of a video attend to each other, from the joined product to a row a token: norm and positions of q and k,
/// softmax(q·kᵀ/√D)·v. <see cref="FullAttention"/> computes it in the type of its rows; the eight-bit ones come near it.
/// </summary>
public interface IAttention
{
    /// <param name="block">Which block asks.</param>
    /// <param name="joined">q, k and v side by side, [B, L, 3·H·D]; taken over, and may be changed.</param>
    /// <param name="angles">Complex [L, 1, D/2].</param>
    /// <returns>[B, L, H·D] in the type of <paramref name="joined"/>.</returns>
    Tensor Apply(int block, Tensor joined, HeadNorms norms, Tensor angles);
}
