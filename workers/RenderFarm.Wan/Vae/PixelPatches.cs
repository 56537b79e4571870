using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>VAE 2.2 sees 2 × 2 pixels as one: pixel (c, 2h+q, 2w+r) is channel 4c + 2r + q. The column is the slower one.</summary>
internal static class PixelPatches
{
    /// <summary>[B, 3, F, 2h, 2w] → [B, 12, F, h, w].</summary>
    public static Tensor Split(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (b, c, f, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3] / 2, x.shape[4] / 2);
        return x.reshape(b, c, f, h, 2, w, 2).permute(0, 1, 6, 4, 2, 3, 5).reshape(b, 4 * c, f, h, w).MoveToOuterDisposeScope();
    }

    /// <summary>[B, 12, F, h, w] → [B, 3, F, 2h, 2w].</summary>
    public static Tensor Join(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (b, c, f, h, w) = (x.shape[0], x.shape[1] / 4, x.shape[2], x.shape[3], x.shape[4]);
        return x.reshape(b, c, 2, 2, f, h, w).permute(0, 1, 4, 5, 3, 6, 2).reshape(b, c, f, 2 * h, 2 * w).MoveToOuterDisposeScope();
    }
}
