using RenderFarm.Training.Clips;
using RenderFarm.Training.Text;
using static TorchSharp.torch;

namespace RenderFarm.Training.Tests.Text;

public sealed class SceneQuestionsTests
{
    private static readonly ClipSize Size = new(128, 96, 13);

    [Fact]
    public void Answers_ManyScenes_AreAmongTheChoices()
    {
        for (var i = 0; i < 500; i++)
        {
            var answers = SceneQuestions.Answers(new SceneGenerator(3).Draw(i, Size));

            Assert.Equal(SceneQuestions.Choices.Count, answers.Count);
            Assert.All(answers.Zip(SceneQuestions.Choices), pair => Assert.InRange(pair.First, 0, pair.Second - 1));
        }
    }

    [Fact]
    public void Answers_PlainScene_AreThoseOfItsKindAndBackground()
    {
        var kind = new ObjectKind(ShapeKind.Star, 4, Motion.Up, SizeWord.None, SpeedWord.None);

        Assert.Equal(SceneQuestions.Answers(kind, 9), SceneQuestions.Answers(SceneGenerator.Of(kind, 9, Size, seed: 1)));
        Assert.NotEqual(SceneQuestions.Answers(kind, 9), SceneQuestions.Answers(kind with { Color = 9 }, 4));
    }

    [Fact]
    public void AreRight_SureOfEverythingButOne_SaysWhich()
    {
        using var scope = NewDisposeScope();
        var answers = SceneQuestions.Answers(new SceneGenerator(3).Draw(1, Size));
        var right = tensor(answers.Select(answer => (long)answer).ToArray(), [1, answers.Count]);
        var said = zeros(1, SceneQuestions.Choices.Sum());
        for (int question = 0, at = 0; question < answers.Count; at += SceneQuestions.Choices[question++])
        {
            said[0, at + (question == 0 ? (answers[0] + 1) % SceneQuestions.Choices[0] : answers[question])] = 20;
        }

        Assert.Equal([false, .. Enumerable.Repeat(true, answers.Count - 1)], SceneQuestions.AreRight(said, right).data<bool>().ToArray());
        Assert.Equal(20.0 / answers.Count, SceneQuestions.Loss(said, right).item<float>(), 1e-3);
    }
}
