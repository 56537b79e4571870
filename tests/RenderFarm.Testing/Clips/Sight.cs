namespace RenderFarm.Testing.Clips;

/// <summary>
/// What a clip of one moving object shows, read from its pixels: what differs from the border is the object, the middle of
/// its colours is its colour, and the way of its centre from the first frames to the last is its direction.
/// </summary>
public sealed record Sight(string Color, Direction Direction, string Background)
{
    /// <summary>Distance in RGB, of 441, from which on a pixel is no background.</summary>
    private const double Different = 64;

    /// <summary>Share of the picture that an object covers at least.</summary>
    private const double LeastArea = 0.003;

    /// <summary>Share of the shorter side that its centre has to go.</summary>
    private const double LeastWay = 0.12;

    public static Sight Of(Clip clip)
    {
        var ground = Border(clip);
        var third = Math.Max(1, clip.Frames / 3);
        var first = Centre(clip, ground, 0, 1 + third / 3);
        var last = Centre(clip, ground, clip.Frames - 1 - third / 3, clip.Frames);
        var direction = Direction.None;
        if (first is var (x0, y0) && last is var (x1, y1))
        {
            var (dx, dy) = (x1 - x0, y1 - y0);
            if (Math.Max(Math.Abs(dx), Math.Abs(dy)) >= LeastWay * Math.Min(clip.Width, clip.Height))
            {
                direction =
                    Math.Abs(dx) > Math.Abs(dy)
                        ? dx > 0
                            ? Direction.Right
                            : Direction.Left
                        : dy > 0
                            ? Direction.Down
                            : Direction.Up;
            }
        }
        return new Sight(ObjectColor(clip, ground), direction, ColorNames.Of(ground.Red, ground.Green, ground.Blue));
    }

    /// <summary>The middle of the colours along the four edges, over all frames.</summary>
    private static (double Red, double Green, double Blue) Border(Clip clip)
    {
        var histograms = new Histograms();
        for (var f = 0; f < clip.Frames; f++)
        {
            var frame = clip.Frame(f);
            for (var x = 0; x < clip.Width; x++)
            {
                histograms.Add(frame, x);
                histograms.Add(frame, (clip.Height - 1) * clip.Width + x);
            }
            for (var y = 0; y < clip.Height; y++)
            {
                histograms.Add(frame, y * clip.Width);
                histograms.Add(frame, y * clip.Width + clip.Width - 1);
            }
        }
        return histograms.Middle();
    }

    /// <summary>Of the object over some frames; null where there is none.</summary>
    private static (double X, double Y)? Centre(Clip clip, (double Red, double Green, double Blue) ground, int from, int to)
    {
        double sumX = 0;
        double sumY = 0;
        double count = 0;
        for (var f = from; f < to; f++)
        {
            var frame = clip.Frame(f);
            for (var i = 0; i < clip.Width * clip.Height; i++)
            {
                if (Distance(frame, i, ground) < Different)
                {
                    continue;
                }

                (sumX, sumY, count) = (sumX + i % clip.Width, sumY + i / clip.Width, count + 1);
            }
        }
        return count < LeastArea * clip.Width * clip.Height * (to - from) ? null : (sumX / count, sumY / count);
    }

    private static string ObjectColor(Clip clip, (double Red, double Green, double Blue) ground)
    {
        var histograms = new Histograms();
        for (var f = 0; f < clip.Frames; f++)
        {
            var frame = clip.Frame(f);
            for (var i = 0; i < clip.Width * clip.Height; i++)
            {
                if (Distance(frame, i, ground) >= Different)
                {
                    histograms.Add(frame, i);
                }
            }
        }
        if (histograms.Count == 0)
        {
            return "none";
        }

        var (red, green, blue) = histograms.Middle();
        return ColorNames.Of(red, green, blue);
    }

    private static double Distance(ReadOnlySpan<byte> frame, int pixel, (double Red, double Green, double Blue) from)
    {
        var (r, g, b) = (frame[3 * pixel] - from.Red, frame[3 * pixel + 1] - from.Green, frame[3 * pixel + 2] - from.Blue);
        return Math.Sqrt(r * r + g * g + b * b);
    }

    private sealed class Histograms
    {
        private readonly int[,] _counts = new int[3, 256];

        public int Count { get; private set; }

        public void Add(ReadOnlySpan<byte> frame, int pixel)
        {
            for (var channel = 0; channel < 3; channel++)
            {
                _counts[channel, frame[3 * pixel + channel]]++;
            }

            Count++;
        }

        /// <summary>The median of each channel.</summary>
        public (double Red, double Green, double Blue) Middle() => (Middle(0), Middle(1), Middle(2));

        private int Middle(int channel)
        {
            var value = 0;
            for (var seen = _counts[channel, 0]; 2 * seen < Count; seen += _counts[channel, value])
            {
                value++;
            }

            return value;
        }
    }
}
