namespace RenderFarm.Training.Clips;

internal enum ShapeKind
{
    Ball,
    Square,
    Triangle,
    Star,
    Ring,
    Diamond,
    Cross,
}

internal enum Motion
{
    Right,
    Left,
    Up,
    Down,
    Still,
    Grow,
    Shrink,
    Spin,
    Bounce,
    Circle,
}

internal enum Pattern
{
    Plain,
    Gradient,
    Stripes,
    Checks,
}

internal enum SizeWord
{
    None,
    Small,
    Large,
}

internal enum SpeedWord
{
    None,
    Slow,
    Fast,
}

/// <summary>A colour with a name; each channel in [0, 1].</summary>
internal sealed record NamedColor(string Name, float Red, float Green, float Blue)
{
    public static IReadOnlyList<NamedColor> All { get; } =
    [
        new("red", 0.86f, 0.11f, 0.11f),
        new("green", 0.13f, 0.62f, 0.18f),
        new("blue", 0.12f, 0.26f, 0.86f),
        new("yellow", 0.96f, 0.86f, 0.12f),
        new("orange", 0.97f, 0.52f, 0.08f),
        new("purple", 0.53f, 0.16f, 0.70f),
        new("pink", 0.98f, 0.56f, 0.74f),
        new("cyan", 0.14f, 0.81f, 0.86f),
        new("white", 0.96f, 0.96f, 0.96f),
        new("black", 0.05f, 0.05f, 0.05f),
    ];

    public double DistanceTo(NamedColor other) =>
        Math.Sqrt(Math.Pow(Red - other.Red, 2) + Math.Pow(Green - other.Green, 2) + Math.Pow(Blue - other.Blue, 2));
}

/// <summary>Where an object is at a moment: centre and radius in pixels, turned by an angle in radians.</summary>
internal readonly record struct Pose(float X, float Y, float Radius, float Angle);

/// <summary>What a caption says of an object, and what it leaves open.</summary>
/// <param name="Color">Index into <see cref="NamedColor.All"/>.</param>
internal sealed record ObjectKind(ShapeKind Shape, int Color, Motion Motion, SizeWord Size, SpeedWord Speed);

/// <summary>One drawn object.</summary>
/// <param name="Rgb">Its colour as drawn, near the named one.</param>
/// <param name="Track">Moment in [0, 1] → pose.</param>
internal sealed record SceneObject(ObjectKind Kind, float[] Rgb, Func<double, Pose> Track);

/// <param name="Color">Index into <see cref="NamedColor.All"/>.</param>
/// <param name="Second">The other shade of a pattern.</param>
/// <param name="Period">Of stripes and checks, in pixels.</param>
internal sealed record Background(int Color, Pattern Pattern, float[] First, float[] Second, float Period);

/// <summary>Pixels and frames of a clip.</summary>
internal readonly record struct ClipSize(int Width, int Height, int Frames)
{
    public override string ToString() => $"{Width}x{Height}x{Frames}";
}

/// <summary>All that a clip is drawn from; objects later in the list are nearer.</summary>
/// <param name="Group">The objects are several of one kind: "two red balls".</param>
internal sealed record Scene(ClipSize Size, Background Background, IReadOnlyList<SceneObject> Objects, bool Group)
{
    /// <summary>One object that goes in one of the four directions, and nothing more to say of it.</summary>
    public bool IsPlain =>
        Background.Pattern == Pattern.Plain
        && Objects
            is [{ Kind: { Motion: Motion.Right or Motion.Left or Motion.Up or Motion.Down, Size: SizeWord.None, Speed: SpeedWord.None } }];
}
