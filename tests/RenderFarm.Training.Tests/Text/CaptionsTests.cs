using RenderFarm.Training.Clips;
using RenderFarm.Training.Text;

namespace RenderFarm.Training.Tests.Text;

public sealed class CaptionsTests
{
    private static readonly ClipSize Size = new(208, 128, 25);

    [Fact]
    public void Of_ManyScenes_SaysWhatIsDrawn()
    {
        for (var i = 0; i < 2000; i++)
        {
            var scene = new SceneGenerator(5).Draw(i, Size);
            var caption = Captions.Of(scene, i);

            foreach (var kind in scene.Objects.Select(o => o.Kind))
            {
                Assert.Contains(Phrases.Names(kind.Shape), name => caption.Contains(name, StringComparison.Ordinal));
                foreach (
                    var color in Enumerable
                        .Range(0, NamedColor.All.Count)
                        .Where(c => c != scene.Background.Color && scene.Objects.All(o => o.Kind.Color != c))
                )
                {
                    Assert.DoesNotContain(NamedColor.All[color].Name, caption.Split(' ', ',', '.'));
                }
            }
            if (scene.Objects.All(o => o.Kind.Motion is not (Motion.Right or Motion.Left)))
            {
                Assert.DoesNotContain("left", caption, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Of_SameSeed_SaysTheSame()
    {
        var scene = new SceneGenerator(5).Draw(1, Size);

        Assert.Equal(Captions.Of(scene, 11), Captions.Of(scene, 11));
        Assert.True(Enumerable.Range(0, 20).Select(seed => Captions.Of(scene, seed)).Distinct().Count() > 5);
    }

    [Fact]
    public void Plain_ABallToTheRight_ReadsLikeAPrompt()
    {
        var kind = new ObjectKind(ShapeKind.Ball, 0, Motion.Right, SizeWord.None, SpeedWord.None);

        Assert.Equal("a red ball rolls to the right on green", Captions.Plain(kind, 1));
        Assert.Equal(
            "an orange star moves up on black",
            Captions.Plain(new(ShapeKind.Star, 4, Motion.Up, SizeWord.None, SpeedWord.None), 9)
        );
    }
}
