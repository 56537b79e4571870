using System.Reflection;

namespace RenderFarm.Testing.Clips;

public enum Direction
{
    None,
    Right,
    Left,
    Up,
    Down,
}

/// <summary>A caption that the demo model was not trained on, and what a clip of it has to show.</summary>
public sealed record Caption(string Text, string Color, string Shape, Direction Direction, string Background)
{
    /// <summary>The captions of <c>unseen-captions.txt</c>, one a line.</summary>
    public static IReadOnlyList<Caption> All()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("unseen-captions.txt")!;
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Parse)];
    }

    /// <summary>"a red ball rolls to the right on green"</summary>
    public static Caption Parse(string text)
    {
        var words = text.Split(' ');
        var direction = words[^3] switch
        {
            "right" => Direction.Right,
            "left" => Direction.Left,
            "up" => Direction.Up,
            "down" => Direction.Down,
            var other => throw new FormatException($"'{other}' in '{text}' is no direction"),
        };
        return new Caption(text, words[1], words[2], direction, words[^1]);
    }
}
