using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>What is done to frames one by one.</summary>
internal static class Frames
{
    /// <param name="x">[B, C, F, H, W]</param>
    /// <param name="apply">[B·F, C, H, W] → [B·F, C', H', W']</param>
    public static Tensor Each(Tensor x, Func<Tensor, Tensor> apply)
    {
        using var scope = NewDisposeScope();
        var b = x.shape[0];
        var f = x.shape[2];
        var y = apply(x.transpose(1, 2).flatten(0, 1));
        return y.unflatten(0, b, f).transpose(1, 2).MoveToOuterDisposeScope();
    }
}
