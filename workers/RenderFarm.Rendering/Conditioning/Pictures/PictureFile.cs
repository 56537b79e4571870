using RenderFarm.Contracts.Leases;
using SkiaSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning.Pictures;

/// <summary>
/// Reads a picture as people see it: turned upright by its orientation tag, its colours brought from whatever profile it
/// has to sRGB. Alpha is dropped and the colour below it kept, as the published pipelines do.
/// </summary>
public static class PictureFile
{
    /// <summary>A decoded picture takes twelve bytes a pixel.</summary>
    private const long MostPixels = 100_000_000;

    /// <returns>Float32 [1, 3, H, W] in [−1, 1]; the caller owns it.</returns>
    /// <exception cref="RenderException">Not a picture, cut short, or larger than any that is useful; names it by its role.</exception>
    public static Tensor Read(string path, string role)
    {
        using var codec =
            SKCodec.Create(path, out var opened)
            ?? throw Unfit(
                role,
                File.Exists(path)
                    ? $"is no picture that is read ({opened}); send JPEG, PNG, WebP, GIF or BMP"
                    : "did not arrive on this worker"
            );
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if ((long)width * height > MostPixels)
        {
            throw Unfit(role, $"has {width} × {height} pixels; at most {MostPixels:#,0} are read");
        }

        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul, SKColorSpace.CreateSrgb());
        using var bitmap = new SKBitmap();
        if (!bitmap.TryAllocPixels(info))
        {
            throw Unfit(role, $"has {width} × {height} pixels, for which there is no memory");
        }

        var decoded = codec.GetPixels(info, bitmap.GetPixels());
        if (decoded == SKCodecResult.IncompleteInput)
        {
            throw Unfit(role, "is cut short; send the whole file");
        }

        if (decoded != SKCodecResult.Success)
        {
            throw Unfit(role, $"is damaged ({decoded})");
        }

        using var scope = NewDisposeScope();
        var pixels = tensor(bitmap.Bytes).view(height, width, 4).narrow(2, 0, 3).permute(2, 0, 1).unsqueeze(0); // [1, 3, H, W]
        return (Upright(pixels, codec.EncodedOrigin).to(ScalarType.Float32) / 127.5 - 1).contiguous().MoveToOuterDisposeScope();
    }

    /// <summary>The camera's own rows and columns to those of the scene.</summary>
    private static Tensor Upright(Tensor x, SKEncodedOrigin origin) =>
        origin switch
        {
            SKEncodedOrigin.TopRight => x.flip(3),
            SKEncodedOrigin.BottomRight => x.flip(2, 3),
            SKEncodedOrigin.BottomLeft => x.flip(2),
            SKEncodedOrigin.LeftTop => x.transpose(2, 3),
            SKEncodedOrigin.RightTop => x.transpose(2, 3).flip(3),
            SKEncodedOrigin.RightBottom => x.transpose(2, 3).flip(2, 3),
            SKEncodedOrigin.LeftBottom => x.transpose(2, 3).flip(2),
            _ => x,
        };

    private static RenderException Unfit(string role, string why) => new(FailureReason.InvalidRequest, $"{role} {why}");
}
