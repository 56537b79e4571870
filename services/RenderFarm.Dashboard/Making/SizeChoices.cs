using RenderFarm.Contracts.Models;

namespace RenderFarm.Dashboard.Making;

/// <summary>Sizes worth a button: what a model was made for, lying, standing and square, whole and at half the area.</summary>
internal static class SizeChoices
{
    public static IReadOnlyList<string> Of(ModelDefaults defaults)
    {
        var (width, height, grid) = (defaults.Width, defaults.Height, Math.Max(defaults.SizeMultiple, 1));
        var side = Math.Sqrt((double)width * height);
        var half = Math.Sqrt(0.5);
        return
        [
            .. new (double Width, double Height)[]
            {
                (width * half, height * half),
                (width, height),
                (height, width),
                (side, side),
            }
                .Select(size => (Width: OnGrid(size.Width), Height: OnGrid(size.Height)))
                .Where(size => (long)size.Width * size.Height <= defaults.MaxArea * 1.1)
                .Select(size => $"{size.Width}x{size.Height}")
                .Distinct(),
        ];

        int OnGrid(double pixels) => Math.Max((int)Math.Round(pixels / grid), 1) * grid;
    }
}
