using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>
/// Latent ↔ tokens of 1 × 2 × 2. The order inside a token differs on purpose: in, (channel, row, column) as the embedding's
/// convolution has it; out, (row, column, channel).
/// </summary>
internal static class Patches
{
    /// <summary>[B, C, F, H, W] → [B, F·H/2·W/2, C·4].</summary>
    public static Tensor Split(Tensor x)
    {
        using var scope = NewDisposeScope();
        var (b, c, f, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3] / 2, x.shape[4] / 2);
        return x.reshape(b, c, f, h, 2, w, 2).permute(0, 2, 3, 5, 1, 4, 6).reshape(b, f * h * w, c * 4).MoveToOuterDisposeScope();
    }

    /// <summary>[B, F·h·w, 4·C] → [B, C, F, 2h, 2w].</summary>
    public static Tensor Join(Tensor tokens, (long Frames, long Height, long Width) grid)
    {
        using var scope = NewDisposeScope();
        var (f, h, w) = grid;
        var b = tokens.shape[0];
        var c = tokens.shape[2] / 4;
        return tokens.reshape(b, f, h, w, 2, 2, c).permute(0, 6, 1, 2, 4, 3, 5).reshape(b, c, f, 2 * h, 2 * w).MoveToOuterDisposeScope();
    }
}
