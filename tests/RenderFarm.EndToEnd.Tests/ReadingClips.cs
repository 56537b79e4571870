using RenderFarm.Testing.Clips;

namespace RenderFarm.EndToEnd.Tests;

/// <summary>What the demo model is measured by has to see what is there, and nothing else.</summary>
public sealed class ReadingClips
{
    private const int Width = 160;
    private const int Height = 96;
    private const int Frames = 9;

    [Theory]
    [InlineData("a red ball rolls to the right on green")]
    [InlineData("a pink square moves to the left on black")]
    [InlineData("an orange ball moves up on white")]
    [InlineData("a cyan square moves down on purple")]
    [InlineData("a yellow ball moves up on blue")]
    public void Of_ObjectThatMoves_SeesColourDirectionAndBackground(string text)
    {
        var caption = Caption.Parse(text);

        Assert.Equal(new Sight(caption.Color, caption.Direction, caption.Background), Sight.Of(Moving(caption, by: 40)));
    }

    [Fact]
    public void Of_ObjectThatRests_SeesNoDirection() =>
        Assert.Equal(Direction.None, Sight.Of(Moving(Caption.Parse("a red ball rolls to the right on green"), by: 0)).Direction);

    [Fact]
    public void Of_EmptyClip_SeesNoObject()
    {
        var empty = new Clip(Width, Height, [.. Enumerable.Repeat((byte)128, Width * Height * 3 * Frames)]);

        Assert.Equal(new Sight("none", Direction.None, "grey"), Sight.Of(empty));
    }

    /// <summary>The first frame, shifted a little more from frame to frame.</summary>
    private static Clip Moving(Caption caption, int by)
    {
        var first = FirstFrames.Draw(caption, Width, Height);
        var (dx, dy) = caption.Direction switch
        {
            Direction.Right => (1, 0),
            Direction.Left => (-1, 0),
            Direction.Down => (0, 1),
            _ => (0, -1),
        };
        var pixels = new byte[first.Pixels.Length * Frames];
        for (var frame = 0; frame < Frames; frame++)
        {
            for (var y = 0; y < Height; y++)
            {
                for (var x = 0; x < Width; x++)
                {
                    var shift = by * frame / (Frames - 1);
                    var fromX = Math.Clamp(x - dx * shift, 0, Width - 1);
                    var fromY = Math.Clamp(y - dy * shift, 0, Height - 1);
                    first.Pixels.AsSpan(3 * (fromY * Width + fromX), 3).CopyTo(pixels.AsSpan(3 * ((frame * Height + y) * Width + x)));
                }
            }
        }

        return new Clip(Width, Height, pixels);
    }
}
