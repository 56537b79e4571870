namespace RenderFarm.Testing.Clips;

/// <summary>What people call a colour, by hue, saturation and brightness.</summary>
public static class ColorNames
{
    /// <param name="red">0 to 255, as the others.</param>
    public static string Of(double red, double green, double blue)
    {
        var brightest = Math.Max(red, Math.Max(green, blue));
        var darkest = Math.Min(red, Math.Min(green, blue));
        var range = brightest - darkest;
        var saturation = brightest == 0 ? 0 : range / brightest;
        if (brightest < 70)
        {
            return "black";
        }

        if (saturation < 0.2)
        {
            return brightest > 185 ? "white" : "grey";
        }

        var hue =
            60
            * (
                brightest == red ? (green - blue) / range
                : brightest == green ? 2 + (blue - red) / range
                : 4 + (red - green) / range
            );
        if (hue < 0)
        {
            hue += 360;
        }

        return hue switch
        {
            >= 300 or < 15 when saturation < 0.62 && brightest > 180 => "pink",
            < 17 or >= 340 => "red",
            < 43 => brightest > 170 ? "orange" : "brown",
            < 72 => "yellow",
            < 162 => "green",
            < 206 => "cyan",
            < 256 => "blue",
            < 318 => "purple",
            _ => "pink",
        };
    }
}
