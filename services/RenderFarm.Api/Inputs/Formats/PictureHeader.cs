namespace RenderFarm.Api.Inputs.Formats;

/// <summary>
/// Judges a picture from its bytes: kind by content, size before any pixel, and whether the file is whole. No pixel is
/// decoded in this process; that is the renderer's, which lives for one job.
/// </summary>
internal static class PictureHeader
{
    public const int MaxSide = 16_384;
    public const long MaxPixels = 64_000_000;
    private const string Accepted = "JPEG, PNG, WebP, GIF and BMP are accepted";

    /// <exception cref="PictureFaultException">Not a picture, cut short, or larger than any that is useful.</exception>
    public static PictureInfo Read(ReadOnlySpan<byte> file)
    {
        try
        {
            var info =
                Png.Is(file) ? Png.Read(file)
                : Jpeg.Is(file) ? Jpeg.Read(file)
                : WebP.Is(file) ? WebP.Read(file)
                : Gif.Is(file) ? Gif.Read(file)
                : Bmp.Is(file) ? Bmp.Read(file)
                : throw new PictureFaultException($"is not a picture; {Accepted}");
            RequireSize(info.Width, info.Height);
            return info;
        }
        catch (Exception e) when (e is ArgumentOutOfRangeException or IndexOutOfRangeException)
        {
            throw new PictureFaultException("is cut short; send the whole file");
        }
    }

    /// <summary>Called by formats before they look at anything that grows with the size.</summary>
    internal static void RequireSize(int width, int height)
    {
        if (width < 1 || height < 1)
        {
            throw new PictureFaultException($"says that it is {width}x{height}; both sides must be 1 or more");
        }

        if (width > MaxSide || height > MaxSide || (long)width * height > MaxPixels)
        {
            throw new PictureFaultException(
                $"is {width}x{height}; at most {MaxSide} a side and {MaxPixels / 1_000_000} million pixels are accepted"
            );
        }
    }
}
