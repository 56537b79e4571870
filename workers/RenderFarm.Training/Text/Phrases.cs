using RenderFarm.Training.Clips;

namespace RenderFarm.Training.Text;

/// <summary>A verb: "rolls", "rolling", "roll".</summary>
internal sealed record Verb(string Third, string Ing, string Base);

/// <summary>The words that captions are made of.</summary>
internal static class Phrases
{
    public static readonly Verb[] Roll = [new("rolls", "rolling", "roll")];

    public static readonly Verb[] Travel =
    [
        new("moves", "moving", "move"),
        new("moves", "moving", "move"),
        new("slides", "sliding", "slide"),
        new("glides", "gliding", "glide"),
        new("goes", "going", "go"),
        new("drifts", "drifting", "drift"),
        new("travels", "traveling", "travel"),
        new("flies", "flying", "fly"),
        new("floats", "floating", "float"),
        new("runs", "running", "run"),
    ];

    public static readonly Verb[] Rise =
    [
        new("rises", "rising", "rise"),
        new("ascends", "ascending", "ascend"),
        new("climbs", "climbing", "climb"),
    ];
    public static readonly Verb[] Fall =
    [
        new("falls", "falling", "fall"),
        new("drops", "dropping", "drop"),
        new("sinks", "sinking", "sink"),
        new("descends", "descending", "descend"),
    ];
    public static readonly Verb[] Rest =
    [
        new("stays still", "staying still", "stay still"),
        new("rests", "resting", "rest"),
        new("stands still", "standing still", "stand still"),
        new("does not move", "not moving", "do not move"),
    ];
    public static readonly Verb[] Grow =
    [
        new("grows", "growing", "grow"),
        new("gets bigger", "getting bigger", "get bigger"),
        new("expands", "expanding", "expand"),
    ];
    public static readonly Verb[] Shrink = [new("shrinks", "shrinking", "shrink"), new("gets smaller", "getting smaller", "get smaller")];
    public static readonly Verb[] Spin =
    [
        new("spins", "spinning", "spin"),
        new("rotates", "rotating", "rotate"),
        new("turns", "turning", "turn"),
        new("turns around", "turning around", "turn around"),
    ];
    public static readonly Verb[] Bounce =
    [
        new("bounces", "bouncing", "bounce"),
        new("bounces up and down", "bouncing up and down", "bounce up and down"),
        new("jumps", "jumping", "jump"),
        new("hops", "hopping", "hop"),
    ];
    public static readonly Verb[] Circle =
    [
        new("moves in a circle", "moving in a circle", "move in a circle"),
        new("circles", "circling", "circle"),
        new("goes around in a circle", "going around in a circle", "go around in a circle"),
    ];

    public static string[] Directions(Motion motion) =>
        motion switch
        {
            Motion.Right =>
            [
                "to the right", "to the right", "right", "rightwards", "from left to right",
                "from the left to the right", "across to the right", "towards the right", "to the right side",
            ],
            Motion.Left =>
            [
                "to the left", "to the left", "left", "leftwards", "from right to left", "from the right to the left",
                "across to the left", "towards the left", "to the left side",
            ],
            Motion.Up => ["up", "up", "upwards", "to the top", "from bottom to top", "from the bottom to the top", "towards the top"],
            Motion.Down =>
            [
                "down", "down", "downwards", "to the bottom", "from top to bottom", "from the top to the bottom",
                "towards the bottom",
            ],
            _ => throw new ArgumentOutOfRangeException(nameof(motion), motion, "has no direction"),
        };

    public static string[] Names(ShapeKind shape) =>
        shape switch
        {
            ShapeKind.Ball => ["ball", "ball", "ball", "circle", "sphere", "disc", "dot"],
            ShapeKind.Square => ["square", "square", "box", "cube", "block"],
            ShapeKind.Triangle => ["triangle", "triangle", "pyramid"],
            ShapeKind.Star => ["star"],
            ShapeKind.Ring => ["ring", "ring", "hoop", "donut"],
            ShapeKind.Diamond => ["diamond"],
            ShapeKind.Cross => ["cross", "cross", "plus"],
            _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "is no shape"),
        };

    public static string[] Colors(int color) =>
        NamedColor.All[color].Name switch
        {
            "purple" => ["purple", "purple", "violet"],
            "cyan" => ["cyan", "turquoise"],
            var name => [name],
        };

    /// <summary>Places whose colour goes without saying.</summary>
    public static string[] Places(int color) =>
        NamedColor.All[color].Name switch
        {
            "green" => ["on grass", "on a meadow", "over a green field", "on a lawn"],
            "blue" => ["in the sky", "over the sea", "on water"],
            "white" => ["on snow", "on paper"],
            "black" => ["at night", "in the dark", "in space"],
            "yellow" => ["on sand", "on the beach"],
            _ => [],
        };

    public static readonly string[] Small = ["small", "small", "little", "tiny"];
    public static readonly string[] Large = ["big", "big", "large", "huge"];
    public static readonly string[] Slow = ["slowly"];
    public static readonly string[] Fast = ["quickly", "fast"];
    public static readonly string[] Openings =
    [
        "a video of", "a clip of", "an animation of", "video of", "animation of", "a picture of", "a scene with",
        "there is",
    ];

    /// <summary>
    /// What prompts are full of and what has no meaning here; spelt in letters, so that any other word is taken as lightly.
    /// </summary>
    public static readonly string[] Idle =
    [
        "beautiful", "amazing", "cinematic", "realistic", "4k", "hd", "smooth", "nice", "simple", "cartoon", "style",
        "quality", "high quality", "photo", "detailed", "minimal", "cute", "shiny", "modern", "colorful", "lovely",
        "best", "masterpiece", "camera", "lighting", "happy", "old", "young", "wooden", "plastic", "glass", "magic",
        "strange", "funny", "wonderful", "perfect", "great", "epic", "studio", "render",
    ];

    /// <summary>Single words, each of which becomes a piece of the vocabulary.</summary>
    public static IReadOnlyList<string> Vocabulary { get; } =
    [
        .. Enumerable
            .Range(0, NamedColor.All.Count)
            .SelectMany(color => Colors(color).Concat(Places(color)))
            .Concat(Enum.GetValues<ShapeKind>().SelectMany(Names).SelectMany(name => new[] { name, Plural(name) }))
            .Concat(
                new[] { Roll, Travel, Rise, Fall, Rest, Grow, Shrink, Spin, Bounce, Circle }
                    .SelectMany(v => v)
                    .SelectMany(v => new[] { v.Third, v.Ing, v.Base })
            )
            .Concat(new[] { Motion.Right, Motion.Left, Motion.Up, Motion.Down }.SelectMany(Directions))
            .Concat(Small)
            .Concat(Large)
            .Concat(Slow)
            .Concat(Fast)
            .Concat(Openings)
            .Concat([
                "a", "an", "the", "one", "two", "three", "is", "are", "and", "while", "with", "on", "over",
                "in front of", "against", "background", "plain", "striped", "checkered", "stripes", "checks",
                "gradient",
            ])
            .SelectMany(phrase => phrase.Split(' '))
            .Distinct(),
    ];

    public static string Plural(string noun) =>
        noun switch
        {
            "box" => "boxes",
            "cross" => "crosses",
            "plus" => "pluses",
            _ => noun + "s",
        };
}
