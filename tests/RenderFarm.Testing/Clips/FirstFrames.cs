namespace RenderFarm.Testing.Clips;

/// <summary>Plain pictures to begin a clip with: a disc or a square of the caption's colour where its way begins.</summary>
public static class FirstFrames
{
    private static readonly Dictionary<string, (byte Red, byte Green, byte Blue)> Paints = new()
    {
        ["red"] = (220, 30, 30),
        ["green"] = (30, 160, 50),
        ["blue"] = (30, 65, 220),
        ["yellow"] = (245, 220, 30),
        ["orange"] = (248, 132, 20),
        ["purple"] = (135, 40, 180),
        ["pink"] = (250, 142, 188),
        ["cyan"] = (35, 206, 220),
        ["white"] = (245, 245, 245),
        ["black"] = (12, 12, 12),
    };

    public static Clip Draw(Caption caption, int width, int height)
    {
        var pixels = new byte[width * height * 3];
        var radius = height * 0.22;
        var (cx, cy) = caption.Direction switch
        {
            Direction.Right => (radius * 1.5, height / 2.0),
            Direction.Left => (width - radius * 1.5, height / 2.0),
            Direction.Down => (width / 2.0, radius * 1.5),
            _ => (width / 2.0, height - radius * 1.5),
        };
        for (var i = 0; i < width * height; i++)
        {
            var (dx, dy) = (Math.Abs(i % width + 0.5 - cx), Math.Abs(i / width + 0.5 - cy));
            var inside = caption.Shape == "square" ? Math.Max(dx, dy) < radius * 0.82 : dx * dx + dy * dy < radius * radius;
            (pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]) = Paints[inside ? caption.Color : caption.Background];
        }
        return new Clip(width, height, pixels);
    }
}
