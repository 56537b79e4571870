using RenderFarm.Training.Clips;

namespace RenderFarm.Training.Text;

/// <summary>Words for a scene, another choice of them for every seed. What is said is true; not everything is said.</summary>
internal sealed class Captions(Random random)
{
    public static string Of(Scene scene, int seed) => new Captions(new Random(seed)).Describe(scene);

    /// <summary>The plain way to ask for one moving object; what the finished model is measured by.</summary>
    public static string Plain(ObjectKind kind, int background)
    {
        var verb = kind is { Shape: ShapeKind.Ball, Motion: Motion.Right or Motion.Left } ? "rolls" : "moves";
        var way = Phrases.Directions(kind.Motion)[0];
        return $"{Article(NamedColor.All[kind.Color].Name)} {NamedColor.All[kind.Color].Name} {Phrases.Names(kind.Shape)[0]} {verb} {way} "
            + $"on {NamedColor.All[background].Name}";
    }

    private string Describe(Scene scene)
    {
        if (scene.IsPlain && Chance(0.6))
        {
            return Plain(scene.Objects[0].Kind, scene.Background.Color);
        }

        var objects = scene.Group
            ? Many(scene.Objects[0].Kind, scene.Objects.Count)
            : string.Join(Pick([" and ", " and ", ", ", " while "]), scene.Objects.Select(o => One(o.Kind)));
        var text = objects;
        var ground = Ground(scene.Background);
        if (ground.Length > 0)
        {
            text = Chance(0.9) || scene.Objects.Count > 1 ? $"{text} {ground}" : $"{ground}, {text}";
        }

        if (Chance(0.12))
        {
            text = $"{Pick(Phrases.Openings)} {text}";
        }

        if (Chance(0.08))
        {
            text = WithIdleWords(text);
        }

        if (Chance(0.15))
        {
            text += ".";
        }

        return text;
    }

    private string One(ObjectKind kind)
    {
        var noun = string.Join(' ', new[] { Size(kind), Color(kind), Pick(Phrases.Names(kind.Shape)) }.Where(word => word.Length > 0));
        var article =
            Chance(0.85) ? Article(noun)
            : Chance(0.7) ? "the"
            : "one";
        return Chance(0.04) ? $"{article} {noun}" : $"{article} {noun} {Does(kind, plural: false)}";
    }

    private string Many(ObjectKind kind, int count)
    {
        var number = count switch
        {
            1 => "one",
            2 => "two",
            _ => "three",
        };
        var name = Pick(Phrases.Names(kind.Shape));
        var noun = string.Join(
            ' ',
            new[] { number, Size(kind), Color(kind), count == 1 ? name : Phrases.Plural(name) }.Where(word => word.Length > 0)
        );
        return $"{noun} {Does(kind, plural: count > 1)}";
    }

    private string Does(ObjectKind kind, bool plural)
    {
        var adverb = kind.Speed switch
        {
            SpeedWord.Slow => Pick(Phrases.Slow),
            SpeedWord.Fast => Pick(Phrases.Fast),
            _ => "",
        };
        var words = new List<string>();
        var (verb, way) = Way(kind);
        var form = Chance(0.75)
            ? plural
                ? verb.Base
                : verb.Third
            : Chance(0.5)
                ? verb.Ing
                : (plural ? "are " : "is ") + verb.Ing;
        var before = adverb.Length > 0 && adverb != "fast" && Chance(0.4);
        if (before)
        {
            words.Add(adverb);
        }

        words.Add(form);
        if (way.Length > 0)
        {
            words.Add(way);
        }

        if (adverb.Length > 0 && !before)
        {
            words.Insert(Chance(0.5) ? words.Count : words.Count - (way.Length > 0 ? 1 : 0), adverb);
        }

        return string.Join(' ', words);
    }

    private (Verb Verb, string Way) Way(ObjectKind kind) =>
        kind.Motion switch
        {
            Motion.Right or Motion.Left => (
                Pick(kind.Shape is ShapeKind.Ball or ShapeKind.Ring && Chance(0.4) ? Phrases.Roll : Phrases.Travel),
                Pick(Phrases.Directions(kind.Motion))
            ),
            Motion.Up when Chance(0.3) => (Pick(Phrases.Rise), Chance(0.3) ? "up" : ""),
            Motion.Down when Chance(0.35) => (Pick(Phrases.Fall), Chance(0.3) ? "down" : ""),
            Motion.Up or Motion.Down => (Pick(Phrases.Travel), Pick(Phrases.Directions(kind.Motion))),
            Motion.Grow => (Pick(Phrases.Grow), ""),
            Motion.Shrink => (Pick(Phrases.Shrink), ""),
            Motion.Spin => (Pick(Phrases.Spin), ""),
            Motion.Bounce => (Pick(Phrases.Bounce), ""),
            Motion.Circle => (Pick(Phrases.Circle), ""),
            _ => (Pick(Phrases.Rest), ""),
        };

    private string Ground(Background background)
    {
        if (Chance(0.05))
        {
            return "";
        }

        var color = Pick(Phrases.Colors(background.Color));
        if (background.Pattern == Pattern.Plain && Chance(0.08) && Phrases.Places(background.Color) is { Length: > 0 } places)
        {
            return Pick(places);
        }

        return background.Pattern switch
        {
            Pattern.Stripes => Pick([$"on a striped {color} background", $"on {color} stripes", $"on striped {color}"]),
            Pattern.Checks => Pick([$"on a checkered {color} background", $"on {color} checks", $"on checkered {color}"]),
            Pattern.Gradient when Chance(0.6) => Pick([$"on a {color} gradient", $"on a {color} gradient background"]),
            _ => Pick([
                $"on {color}",
                $"on {color}",
                $"on {Article(color)} {color} background",
                $"on {Article(color)} {color} background",
                $"over {color}",
                $"in front of {Article(color)} {color} background",
                $"against {Article(color)} {color} background",
                $"with {Article(color)} {color} background",
                $"on plain {color}",
            ]),
        };
    }

    private string WithIdleWords(string text)
    {
        var word = Chance(0.7)
            ? Pick(Phrases.Idle)
            : new string([.. Enumerable.Range(0, random.Next(3, 9)).Select(_ => (char)('a' + random.Next(26)))]);
        if (Chance(0.4))
        {
            return $"{text}, {word}";
        }

        if (Chance(0.3))
        {
            return $"{word}, {text}";
        }

        var words = text.Split(' ').ToList();
        words.Insert(random.Next(words.Count + 1), word);
        return string.Join(' ', words);
    }

    private string Color(ObjectKind kind) => Chance(0.03) ? "" : Pick(Phrases.Colors(kind.Color));

    private string Size(ObjectKind kind) =>
        kind.Size switch
        {
            SizeWord.Small => Pick(Phrases.Small),
            SizeWord.Large => Pick(Phrases.Large),
            _ => "",
        };

    private static string Article(string noun) => noun[0] is 'a' or 'e' or 'i' or 'o' or 'u' ? "an" : "a";

    private bool Chance(double share) => random.NextDouble() < share;

    private T Pick<T>(IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];
}
