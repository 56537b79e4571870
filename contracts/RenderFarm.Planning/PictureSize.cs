using RenderFarm.Contracts.Models;

namespace RenderFarm.Planning;

/// <summary>
/// The size of a video that starts from a picture, where none is asked for: the picture's own proportions on about the
/// area of the model's default size, as the published pipelines choose it.
/// </summary>
public static class PictureSize
{
    /// <param name="width">Of the picture as it is seen, after its orientation.</param>
    /// <param name="height">Of the picture as it is seen, after its orientation.</param>
    /// <param name="area">Pixels of a frame to come close to; the model's default size when not given.</param>
    public static (int Width, int Height) Of(ModelShape shape, int width, int height, int? area = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        double pixels = area ?? shape.Defaults.Width * shape.Defaults.Height;
        var grid = Math.Max(shape.Defaults.SizeMultiple, 2 * shape.Vae.SpatialStride);
        // Beyond this a side would be a single cell of the grid
        var ratio = Math.Clamp(width / (double)height, grid * grid / pixels, pixels / (grid * grid));
        return shape.Pictures == PictureConditioning.FirstLatentFrame ? Nearest(ratio, pixels, grid) : Below(ratio, pixels, grid);
    }

    /// <summary>Each side on its own, rounded down to the grid.</summary>
    private static (int, int) Below(double ratio, double area, int grid) =>
        (Floor(Math.Sqrt(area * ratio), grid), Floor(Math.Sqrt(area / ratio), grid));

    /// <summary>One side rounded down, the other by what the area leaves; of the two ways, the one closer to the proportions.</summary>
    private static (int, int) Nearest(double ratio, double area, int grid)
    {
        var width = Floor(Math.Sqrt(area * ratio), grid);
        var height = Floor(Math.Sqrt(area / ratio), grid);
        var byWidth = (Width: width, Height: Floor(area / width, grid));
        var byHeight = (Width: Floor(area / height, grid), Height: height);
        return Stretch(byWidth) < Stretch(byHeight) ? byWidth : byHeight;

        double Stretch((int Width, int Height) size)
        {
            var of = size.Width / (double)size.Height;
            return Math.Max(ratio / of, of / ratio);
        }
    }

    /// <summary>A side that misses the grid only by rounding counts as on it: a picture of an accepted size keeps it.</summary>
    private static int Floor(double side, int grid) => Math.Max(1, (int)Math.Floor((side / grid) + 1e-9)) * grid;
}
