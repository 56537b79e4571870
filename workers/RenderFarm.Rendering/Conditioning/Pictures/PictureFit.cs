using RenderFarm.Contracts.Models;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning.Pictures;

/// <summary>
/// A picture onto the frame of a video. Where the frame has the proportions of the picture but for the grid that sizes lie
/// on, it is stretched onto it; onto any other frame it is laid so that it covers it, and what stands out is cut off
/// evenly. How pixels are mixed is the model's: what it was trained with.
/// </summary>
public static class PictureFit
{
    /// <param name="picture">[1, 3, H, W] in [−1, 1].</param>
    /// <returns>The part of the picture that is shown, in its own pixels; the caller owns it.</returns>
    public static Tensor Shown(Tensor picture, ModelShape shape, int width, int height)
    {
        var have = picture.shape[3];
        var tall = picture.shape[2];
        var grid = 2 * shape.Vae.SpatialStride;
        var ratio = have / (double)tall;
        var off = width - (height * ratio); // Both sides were rounded down, each by less than a cell
        if (off > -grid && off < grid * ratio)
        {
            return picture.alias();
        }

        var scale = Math.Max(width / (double)have, height / (double)tall);
        var across = Math.Clamp((long)Math.Round(width / scale), 1, have);
        var down = Math.Clamp((long)Math.Round(height / scale), 1, tall);
        return picture.narrow(2, (tall - down) / 2, down).narrow(3, (have - across) / 2, across);
    }

    /// <summary>Bicubic without antialiasing, for models with picture channels.</summary>
    /// <param name="shown">See <see cref="Shown"/>.</param>
    /// <returns>[1, 3, height, width]; not cut back to [−1, 1], as in the reference.</returns>
    public static Tensor Bicubic(Tensor shown, int width, int height) =>
        nn.functional.interpolate(shown, size: [height, width], mode: InterpolationMode.Bicubic, align_corners: false);

    /// <summary>
    /// Lanczos with antialiasing to a size that covers the frame, then the middle of it: for models that take the picture as
    /// their first latent frame.
    /// </summary>
    /// <param name="picture">[1, 3, H, W] in [−1, 1], whole.</param>
    public static Tensor Lanczos(Tensor picture, int width, int height)
    {
        using var scope = NewDisposeScope();
        var have = picture.shape[3];
        var tall = picture.shape[2];
        var scale = Math.Max(width / (double)have, height / (double)tall);
        var across = Math.Max(width, (int)Math.Round(have * scale));
        var down = Math.Max(height, (int)Math.Round(tall * scale));
        return LanczosResize
            .Apply(picture, across, down)
            .narrow(2, (down - height) / 2, height)
            .narrow(3, (across - width) / 2, width)
            .contiguous()
            .MoveToOuterDisposeScope();
    }
}
