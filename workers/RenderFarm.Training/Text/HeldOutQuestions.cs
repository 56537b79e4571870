using RenderFarm.Training.Clips;

namespace RenderFarm.Training.Text;

/// <summary>What was asked of one clip.</summary>
/// <param name="Background">Index of its colour, as <see cref="ObjectKind.Color"/>.</param>
internal sealed record Question(string Caption, ObjectKind Kind, int Background);

/// <summary>What training never sees, asked for in words.</summary>
internal static class HeldOutQuestions
{
    /// <summary>Held-out combinations of the four directions, spread over everything; the same for the same seed.</summary>
    public static IReadOnlyList<Question> Draw(int count, int seed)
    {
        var all =
            from shape in Enum.GetValues<ShapeKind>()
            from color in Enumerable.Range(0, NamedColor.All.Count)
            from motion in (Motion[])[Motion.Right, Motion.Left, Motion.Up, Motion.Down]
            from background in Enumerable.Range(0, NamedColor.All.Count)
            where NamedColor.All[color].DistanceTo(NamedColor.All[background]) >= 0.5
            where HeldOut.Contains(shape, color, motion, background)
            select (Kind: new ObjectKind(shape, color, motion, SizeWord.None, SpeedWord.None), Background: background);
        var random = new Random(seed);
        return
        [
            .. all.OrderBy(_ => random.Next())
                .Take(count)
                .Select(q => new Question(Captions.Plain(q.Kind, q.Background), q.Kind, q.Background)),
        ];
    }
}
