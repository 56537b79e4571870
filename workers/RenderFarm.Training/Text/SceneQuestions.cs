using RenderFarm.Training.Clips;
using static TorchSharp.torch;

namespace RenderFarm.Training.Text;

/// <summary>
/// What there is to know of a scene, as questions with a choice of answers each: of the background its colour and pattern, of
/// the group whether it is one, and of up to three objects, in the order in which they are named, shape, colour, motion, size
/// and speed; one answer of an object's says that there is no such object.
/// </summary>
internal static class SceneQuestions
{
    private const int Objects = 3;

    private static readonly int[] OfObject =
    [
        1 + Enum.GetValues<ShapeKind>().Length,
        1 + NamedColor.All.Count,
        1 + Enum.GetValues<Motion>().Length,
        1 + Enum.GetValues<SizeWord>().Length,
        1 + Enum.GetValues<SpeedWord>().Length,
    ];

    /// <summary>How many answers each question has.</summary>
    public static IReadOnlyList<int> Choices { get; } =
    [NamedColor.All.Count, Enum.GetValues<Pattern>().Length, 2, .. Enumerable.Repeat(OfObject, Objects).SelectMany(choices => choices)];

    /// <summary>The right answer to each question.</summary>
    public static IReadOnlyList<int> Answers(Scene scene) =>
        [
            scene.Background.Color,
            (int)scene.Background.Pattern,
            scene.Group ? 1 : 0,
            .. Enumerable.Range(0, Objects).SelectMany(i => OfKind(scene.Objects.ElementAtOrDefault(i)?.Kind)),
        ];

    /// <summary>Of a scene of one object that moves on a plain background.</summary>
    public static IReadOnlyList<int> Answers(ObjectKind kind, int background) =>
        [background, (int)Pattern.Plain, 0, .. OfKind(kind), .. Enumerable.Range(1, Objects - 1).SelectMany(_ => OfKind(null))];

    /// <summary>Mean cross-entropy over prompts' rows and questions.</summary>
    /// <param name="said">Float32 [rows, all choices].</param>
    /// <param name="right">Int64 [rows, questions].</param>
    public static Tensor Loss(Tensor said, Tensor right) =>
        ByQuestion(said)
            .Select((logits, question) => nn.functional.cross_entropy(logits, right.select(1, question)))
            .Aggregate((sum, loss) => sum + loss) / Choices.Count;

    /// <summary>Bool [rows, questions]: whether the likeliest answer is the right one.</summary>
    public static Tensor AreRight(Tensor said, Tensor right) =>
        stack([.. ByQuestion(said).Select((logits, question) => logits.argmax(1) == right.select(1, question))], 1);

    private static Tensor[] ByQuestion(Tensor said) => said.split([.. Choices.Select(choices => (long)choices)], 1);

    private static int[] OfKind(ObjectKind? kind) =>
        kind is null
            ? new int[OfObject.Length]
            : [1 + (int)kind.Shape, 1 + kind.Color, 1 + (int)kind.Motion, 1 + (int)kind.Size, 1 + (int)kind.Speed];
}
