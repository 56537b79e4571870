using RenderFarm.Training.Clips;
using static TorchSharp.torch;

namespace RenderFarm.Training.Tests.Clips;

public sealed class SceneGeneratorTests
{
    private static readonly ClipSize Size = new(64, 48, 9);

    [Fact]
    public void Draw_SameSeedAndIndex_PaintsTheSameClip()
    {
        using var scope = NewDisposeScope();
        var painter = new ClipPainter(CPU);

        var once = painter.Paint([new SceneGenerator(7).Draw(3, Size), new SceneGenerator(7).Draw(4, Size)]);
        var again = painter.Paint([new SceneGenerator(7).Draw(3, Size), new SceneGenerator(7).Draw(4, Size)]);
        var other = painter.Paint([new SceneGenerator(8).Draw(3, Size), new SceneGenerator(8).Draw(4, Size)]);

        Assert.True(once.allclose(again, rtol: 0, atol: 0));
        Assert.False(once.allclose(other));
    }

    [Fact]
    public void Draw_ManyScenes_NeverHoldsAHeldOutCombinationAndShowsEverythingElse()
    {
        var scenes = Enumerable.Range(0, 4000).Select(i => new SceneGenerator(1).Draw(i, Size)).ToList();
        var objects = scenes.SelectMany(s => s.Objects.Select(o => (o.Kind, s.Background))).ToList();

        Assert.DoesNotContain(objects, o => HeldOut.Contains(o.Kind, o.Background.Color));
        Assert.Equal(7, objects.Select(o => o.Kind.Shape).Distinct().Count());
        Assert.Equal(NamedColor.All.Count, objects.Select(o => o.Kind.Color).Distinct().Count());
        Assert.Equal(10, objects.Select(o => o.Kind.Motion).Distinct().Count());
        Assert.Equal(NamedColor.All.Count, objects.Select(o => o.Background.Color).Distinct().Count());
        Assert.Equal([1, 2, 3], scenes.Select(s => s.Objects.Count).Distinct().Order());
    }

    [Fact]
    public void HeldOut_AllCombinations_IsAboutOneInEight()
    {
        var all = (
            from shape in Enum.GetValues<ShapeKind>()
            from color in Enumerable.Range(0, NamedColor.All.Count)
            from motion in Enum.GetValues<Motion>()
            from ground in Enumerable.Range(0, NamedColor.All.Count)
            select HeldOut.Contains(shape, color, motion, ground)
        ).ToList();

        Assert.InRange(all.Count(held => held) / (double)all.Count, 0.11, 0.14);
    }

    /// <summary>Every direction, and the way back: where the object is found in the picture, not where the scene says it is.</summary>
    [Theory]
    [InlineData(Motion.Right, 1, 0)]
    [InlineData(Motion.Left, -1, 0)]
    [InlineData(Motion.Down, 0, 1)]
    [InlineData(Motion.Up, 0, -1)]
    public void Paint_MovingBall_GoesThatWay(int motion, int right, int down) => Goes((Motion)motion, right, down);

    private static void Goes(Motion motion, int right, int down)
    {
        using var scope = NewDisposeScope();
        for (var seed = 0; seed < 5; seed++)
        {
            var scene = SceneGenerator.Of(new ObjectKind(ShapeKind.Ball, 0, motion, SizeWord.None, SpeedWord.None), 1, Size, seed);
            var clip = new ClipPainter(CPU).Paint([scene])[0]; // [3, F, H, W]

            Assert.Equal([3, 9, 48, 64], clip.shape);
            var (fromX, fromY) = Center(clip, 0);
            var (toX, toY) = Center(clip, 8);
            Assert.True(
                right * (toX - fromX) >= (right == 0 ? 0 : 12) && down * (toY - fromY) >= (down == 0 ? 0 : 8),
                $"from {fromX}, {fromY} to {toX}, {toY}"
            );
            Assert.True(Math.Abs(right == 0 ? toX - fromX : toY - fromY) < 2);
        }
    }

    /// <summary>Of what is redder than green.</summary>
    private static (double X, double Y) Center(Tensor clip, int frame)
    {
        using var scope = NewDisposeScope();
        var red = (clip[0][frame] > clip[1][frame]).to(ScalarType.Float32); // [H, W]
        double area = red.sum().item<float>();
        return (
            (red * arange(64, dtype: ScalarType.Float32)).sum().item<float>() / area,
            (red.t() * arange(48, dtype: ScalarType.Float32)).sum().item<float>() / area
        );
    }

    [Fact]
    public void Paint_Window_IsThatPartOfTheWholeClip()
    {
        using var scope = NewDisposeScope();
        var scenes = Enumerable.Range(0, 6).Select(i => new SceneGenerator(3).Draw(i, Size)).ToList();
        var whole = new ClipPainter(CPU).Paint(scenes);

        var part = new ClipPainter(CPU).Paint(scenes, [.. scenes.Select((_, i) => new Window(5 + i, 3, 2))], new ClipSize(20, 16, 4));

        for (var i = 0; i < 6; i++)
        {
            Assert.True(part[i].allclose(whole[i].narrow(1, 2, 4).narrow(2, 3, 16).narrow(3, 5 + i, 20), atol: 1e-4));
        }
    }

    [Fact]
    public void Paint_EveryShape_IsThereAndWithinItsRadius()
    {
        using var scope = NewDisposeScope();
        foreach (var shape in Enum.GetValues<ShapeKind>())
        {
            var scene = SceneGenerator.Of(new ObjectKind(shape, 8, Motion.Still, SizeWord.Large, SpeedWord.None), 9, Size, 1);
            var pose = scene.Objects[0].Track(0);
            var white = new ClipPainter(CPU).Paint([scene])[0][0][0] > 0; // [H, W]

            double area = white.to(ScalarType.Float32).sum().item<float>() / (pose.Radius * pose.Radius);
            Assert.True(area is > 0.8 and < 3.2, $"{shape} fills {area} radii squared");
        }
    }
}
