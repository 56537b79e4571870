using SkiaSharp;
using static TorchSharp.torch;

namespace RenderFarm.Training.Looks;

/// <summary>Clips as one picture: a row for each, frames from left to right.</summary>
internal static class PngSheet
{
    /// <param name="clips">Float32 [B, 3, F, H, W] in [0, 1].</param>
    public static void Write(string path, Tensor clips, int rows, int columns)
    {
        using var scope = NewDisposeScope();
        var frames = clips.shape[2];
        var lines = Enumerable
            .Range(0, (int)Math.Min(rows, clips.shape[0]))
            .Select(row =>
                cat(
                    Enumerable
                        .Range(0, columns)
                        .Select(column => clips[row].select(1, columns == 1 ? 0 : column * (frames - 1) / (columns - 1)))
                        .ToList(),
                    2
                )
            )
            .ToList();
        var sheet = cat(lines, 1).clamp(0, 1).mul(255).round().to(ScalarType.Byte);
        // Skia has no format of three bytes a pixel: an opaque fourth one joins them.
        var pixels = cat([sheet, full_like(sheet[..1], 255)], 0).permute(1, 2, 0).cpu().contiguous();
        Write(path, pixels.bytes, (int)pixels.shape[1], (int)pixels.shape[0]);
    }

    private static void Write(string path, ReadOnlySpan<byte> pixels, int width, int height)
    {
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        using var picture = SKImage.FromPixelCopy(info, pixels, info.RowBytes);
        using var encoded = picture.Encode(SKEncodedImageFormat.Png, quality: 100);
        using var file = File.Create(path);
        encoded.SaveTo(file);
    }
}
