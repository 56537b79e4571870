namespace RenderFarm.Training.Clips;

/// <summary>Draws scenes at random. The same seed gives the same scene; held-out combinations never come.</summary>
internal sealed class SceneGenerator(long seed)
{
    private const int MaxObjects = 3;

    /// <summary>Share of scenes with nothing but one object that goes in one of the four directions.</summary>
    private const double PlainShare = 0.6;

    /// <summary>Least distance of two colours that may meet in a scene.</summary>
    private const double Contrast = 0.35;

    private static readonly Motion[] Motions =
    [
        // The four directions are what most prompts ask for
        Motion.Right,
        Motion.Right,
        Motion.Right,
        Motion.Right,
        Motion.Left,
        Motion.Left,
        Motion.Left,
        Motion.Left,
        Motion.Up,
        Motion.Up,
        Motion.Up,
        Motion.Up,
        Motion.Down,
        Motion.Down,
        Motion.Down,
        Motion.Down,
        Motion.Still,
        Motion.Grow,
        Motion.Shrink,
        Motion.Spin,
        Motion.Bounce,
        Motion.Circle,
    ];

    /// <summary>Scene <paramref name="index"/> of this seed.</summary>
    public Scene Draw(long index, ClipSize size)
    {
        var random = new Random(Mix(seed, index));
        while (true)
        {
            var scene = Try(random, size);
            if (!scene.Objects.Any(o => HeldOut.Contains(o.Kind, scene.Background.Color)))
            {
                return scene;
            }
        }
    }

    /// <summary>A scene of one object of a given kind, held out or not.</summary>
    public static Scene Of(ObjectKind kind, int background, ClipSize size, int seed)
    {
        var random = new Random(seed);
        return new Scene(size, BackgroundOf(random, background, Pattern.Plain), [Place(random, kind, size)], Group: false);
    }

    private static Scene Try(Random random, ClipSize size)
    {
        var background = random.Next(NamedColor.All.Count);
        if (random.NextDouble() < PlainShare)
        {
            // What most prompts ask for
            var moving = KindOf(random, background, []) with
            {
                Size = SizeWord.None,
                Speed = SpeedWord.None,
                Motion = (Motion)random.Next(4),
            };
            return new Scene(size, BackgroundOf(random, background, Pattern.Plain), [Place(random, moving, size)], Group: false);
        }
        var pattern = random.Next(20) switch
        {
            0 => Pattern.Gradient,
            1 => Pattern.Stripes,
            2 => Pattern.Checks,
            _ => Pattern.Plain,
        };
        var pick = random.Next(100);
        var group = pick >= 90;
        var count =
            pick < 84 ? 1
            : pick < 97 ? 2
            : MaxObjects;
        var objects = new List<SceneObject>();
        ObjectKind? kind = null;
        for (var i = 0; i < count; i++)
        {
            if (kind is null || !group)
            {
                kind = KindOf(random, background, objects);
            }

            objects.Add(PlaceApart(random, kind, size, objects));
        }
        return new Scene(size, BackgroundOf(random, background, pattern), objects, group);
    }

    private static ObjectKind KindOf(Random random, int background, List<SceneObject> others)
    {
        var shape = random.Next(Enum.GetValues<ShapeKind>().Length + 1) is var s && s >= 7 ? ShapeKind.Ball : (ShapeKind)s;
        int color;
        do
        {
            color = random.Next(NamedColor.All.Count);
        } while (Near(color, background) || others.Any(o => Near(color, o.Kind.Color)));
        Motion motion;
        do
        {
            motion = Motions[random.Next(Motions.Length)];
        } while (motion == Motion.Spin && shape is ShapeKind.Ball or ShapeKind.Ring);
        var size = motion is Motion.Grow or Motion.Shrink
            ? SizeWord.None
            : random.Next(10) switch
            {
                < 2 => SizeWord.Small,
                < 4 => SizeWord.Large,
                _ => SizeWord.None,
            };
        var speed = motion is Motion.Right or Motion.Left or Motion.Up or Motion.Down
            ? random.Next(10) switch
            {
                0 => SpeedWord.Slow,
                1 => SpeedWord.Fast,
                _ => SpeedWord.None,
            }
            : SpeedWord.None;
        return new ObjectKind(shape, color, motion, size, speed);
    }

    private static bool Near(int a, int b) => NamedColor.All[a].DistanceTo(NamedColor.All[b]) < Contrast;

    /// <summary>Clear of the others at the beginning, in the middle and at the end, where a few tries find such a place.</summary>
    private static SceneObject PlaceApart(Random random, ObjectKind kind, ClipSize size, List<SceneObject> others)
    {
        SceneObject placed;
        var tries = 0;
        do
        {
            placed = Place(random, kind, size);
        } while (++tries < 16 && others.Any(other => Overlap(placed, other)));
        return placed;
    }

    private static bool Overlap(SceneObject a, SceneObject b)
    {
        foreach (var moment in (ReadOnlySpan<double>)[0, 0.25, 0.5, 0.75, 1])
        {
            var (p, q) = (a.Track(moment), b.Track(moment));
            if (Math.Sqrt(Math.Pow(p.X - q.X, 2) + Math.Pow(p.Y - q.Y, 2)) < p.Radius + q.Radius)
            {
                return true;
            }
        }
        return false;
    }

    private static SceneObject Place(Random random, ObjectKind kind, ClipSize size)
    {
        var side = Math.Min(size.Width, size.Height);
        var radius =
            side
            * (
                kind.Size switch
                {
                    SizeWord.Small => Between(random, 0.11, 0.14),
                    SizeWord.Large => Between(random, 0.29, 0.34),
                    _ => Between(random, 0.19, 0.25),
                }
            );
        var reach = kind.Speed switch
        {
            SpeedWord.Slow => Between(random, 0.25, 0.40),
            SpeedWord.Fast => Between(random, 0.85, 1.0),
            _ => Between(random, 0.5, 0.8),
        };
        var angle = kind.Motion == Motion.Spin ? Between(random, 0, 2) : Between(random, -0.12, 0.12);
        var x = Between(random, radius, size.Width - radius);
        var y = Between(random, radius, size.Height - radius);
        var track = kind.Motion switch
        {
            Motion.Right => Line(Start(size.Width), y, +reach * (size.Width - 2 * radius), 0),
            Motion.Left => Line(size.Width - Start(size.Width), y, -reach * (size.Width - 2 * radius), 0),
            Motion.Down => Line(x, Start(size.Height), 0, +reach * (size.Height - 2 * radius)),
            Motion.Up => Line(x, size.Height - Start(size.Height), 0, -reach * (size.Height - 2 * radius)),
            Motion.Grow => Swell(0.6, 1.5),
            Motion.Shrink => Swell(1.5, 0.6),
            Motion.Spin => Turn(Between(random, 0.6, 1.1) * Math.PI * (random.Next(2) == 0 ? 1 : -1)),
            Motion.Bounce => Bounce(),
            Motion.Circle => Orbit(),
            _ => moment => At(x, y, radius, angle),
        };
        return new SceneObject(kind, Jittered(random, NamedColor.All[kind.Color]), track);

        // Where a straight way begins so that it ends within the picture
        double Start(double length) => radius + random.NextDouble() * (1 - reach) * (length - 2 * radius);

        Func<double, Pose> Line(double fromX, double fromY, double dx, double dy) =>
            moment => At(fromX + dx * moment, fromY + dy * moment, radius, angle);

        Func<double, Pose> Swell(double from, double to)
        {
            var widest = Math.Max(from, to) * radius;
            var cx = Between(random, widest, size.Width - widest);
            var cy = Between(random, widest, size.Height - widest);
            return moment => At(cx, cy, radius * (from + (to - from) * moment), angle);
        }

        Func<double, Pose> Turn(double by) => moment => At(x, y, radius, angle + by * moment);

        Func<double, Pose> Bounce()
        {
            var floor = size.Height - radius - random.NextDouble() * 0.15 * size.Height;
            var height = Between(random, 0.4, 0.8) * (floor - radius);
            var times = random.Next(2, 4);
            return moment => At(x, floor - height * Math.Abs(Math.Sin(Math.PI * times * moment)), radius, angle);
        }

        Func<double, Pose> Orbit()
        {
            var swing = Between(random, 0.6, 1.0) * Math.Min(side / 2.0 - radius, 0.3 * side);
            var cx = Between(random, radius + swing, size.Width - radius - swing);
            var cy = Between(random, radius + swing, size.Height - radius - swing);
            var from = Between(random, 0, 2 * Math.PI);
            return moment =>
                At(cx + swing * Math.Cos(from + 2 * Math.PI * moment), cy + swing * Math.Sin(from + 2 * Math.PI * moment), radius, angle);
        }

        static Pose At(double px, double py, double r, double a) => new((float)px, (float)py, (float)r, (float)a);
    }

    private static Background BackgroundOf(Random random, int color, Pattern pattern)
    {
        var first = Jittered(random, NamedColor.All[color]);
        // The second shade is a darker one, or a lighter one of what is dark already
        var toward = first.Average() < 0.3f ? 0.35f : 0f;
        var share = pattern == Pattern.Gradient ? 0.35f : 0.18f;
        return new Background(color, pattern, first, [.. first.Select(c => c + (toward - c) * share)], (float)Between(random, 22, 40));
    }

    private static float[] Jittered(Random random, NamedColor color) =>
        [.. new[] { color.Red, color.Green, color.Blue }.Select(c => (float)Math.Clamp(c + Between(random, -0.03, 0.03), 0, 1))];

    private static double Between(Random random, double low, double high) => low + (high - low) * random.NextDouble();

    private static int Mix(long seed, long index)
    {
        var x = unchecked((ulong)seed * 0x9E3779B97F4A7C15 ^ (ulong)index * 0xD1B54A32D192ED03);
        x = unchecked((x ^ x >> 31) * 0xBF58476D1CE4E5B9);
        return (int)(x >> 33);
    }
}
