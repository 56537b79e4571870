using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// The steps of a VAE that work on whole frames, [B, C, F, H, W]. <see cref="PlainFrameOps"/> defines them; others compute the same
/// with other means.
/// </summary>
internal interface IFrameOps
{
    /// <summary>Results have their channels innermost in memory, and inputs that have are not laid out anew.</summary>
    bool ChannelsInnermost { get; }

    /// <summary>conv(x)</summary>
    Tensor Convolve(CausalConv3d conv, Tensor x, FeatureCache cache);

    /// <summary>conv(silu(norm(x)))</summary>
    Tensor NormConvolve(ChannelNorm norm, CausalConv3d conv, Tensor x, FeatureCache cache);

    /// <summary>shortcut(x) + conv(silu(norm(conv(silu(norm(x))))))</summary>
    Tensor Residual(ResidualBlock block, Tensor x, FeatureCache cache);

    /// <summary>
    /// Every pixel becomes four, and where <paramref name="time"/> is given every frame two before that; then a 3 × 3 convolution.
    /// </summary>
    /// <param name="weight">[C', C, 3, 3]</param>
    Tensor Enlarge(Tensor x, CausalConv3d? time, Tensor weight, Tensor bias, FeatureCache cache);

    /// <summary>
    /// y + x, each of whose channels is repeated and then unfolded into <paramref name="times"/> frames, two rows and two columns. A first
    /// frame stays one frame.
    /// </summary>
    /// <param name="y">May be overwritten.</param>
    Tensor AddDuplicated(Tensor y, Tensor x, int times, FeatureCache cache);
}
