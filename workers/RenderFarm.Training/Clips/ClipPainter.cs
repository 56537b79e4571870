using static TorchSharp.torch;

namespace RenderFarm.Training.Clips;

/// <summary>A part of a clip: where its corner is, and its first frame.</summary>
internal readonly record struct Window(int X, int Y, int Frame);

/// <summary>
/// Paints scenes by tensor arithmetic on one device: every shape is a signed distance in pixels, and its edge a ramp one
/// pixel wide.
/// </summary>
internal sealed class ClipPainter(Device device)
{
    /// <summary>Whole clips of one size.</summary>
    /// <returns>Float32 [B, 3, F, H, W] in [−1, 1]; the caller owns it.</returns>
    public Tensor Paint(IReadOnlyList<Scene> scenes) => Paint(scenes, new Window[scenes.Count], scenes[0].Size);

    /// <param name="windows">One for each scene.</param>
    /// <param name="part">Size of the windows.</param>
    public Tensor Paint(IReadOnlyList<Scene> scenes, IReadOnlyList<Window> windows, ClipSize part)
    {
        using var scope = NewDisposeScope();
        var (b, f, h, w) = (scenes.Count, part.Frames, part.Height, part.Width);
        var x = arange(w, dtype: ScalarType.Float32, device: device).add(0.5).view(1, 1, 1, w) + PerScene(i => windows[i].X);
        var y = arange(h, dtype: ScalarType.Float32, device: device).add(0.5).view(1, 1, h, 1) + PerScene(i => windows[i].Y);

        var canvas = Backgrounds(scenes, x, y).unsqueeze(2).expand(b, 3, f, h, w).clone();
        var most = scenes.Max(scene => scene.Objects.Count);
        for (var slot = 0; slot < most; slot++)
        {
            using var layer = NewDisposeScope();
            var there = Enumerable.Range(0, b).Where(i => scenes[i].Objects.Count > slot).ToList();
            var cover = zeros([b, f, h, w], dtype: ScalarType.Float32, device: device);
            var shine = zeros([b, f, h, w], dtype: ScalarType.Float32, device: device);
            foreach (var kind in there.GroupBy(i => scenes[i].Objects[slot].Kind.Shape))
            {
                using var shape = NewDisposeScope();
                var members = kind.ToArray();
                var index = tensor(members.Select(i => (long)i).ToArray(), device: device);
                var poses = Poses(members, i => scenes[i].Objects[slot].Track, i => windows[i].Frame, i => scenes[i].Size.Frames, f);
                var (u, v, radius) = Local(x, y, index, poses);
                cover.index_copy_(0, index, Shapes.Distance(kind.Key, u, v, radius).neg().add(0.5).clamp(0, 1));
                if (kind.Key == ShapeKind.Ball)
                {
                    shine.index_copy_(0, index, Shapes.Shine(u, v, radius));
                }
            }
            var color = Colors(Enumerable.Range(0, b).Select(i => scenes[i].Objects.ElementAtOrDefault(slot)?.Rgb ?? [0, 0, 0]))
                .unsqueeze(-1); // [B, 3, 1, 1, 1]
            var paint = color + shine.unsqueeze(1) * (1 - color);
            canvas.add_(cover.unsqueeze(1) * (paint - canvas));
        }
        return canvas.mul_(2).sub_(1).MoveToOuterDisposeScope();

        Tensor PerScene(Func<int, float> value) => tensor(Enumerable.Range(0, b).Select(value).ToArray(), device: device).view(b, 1, 1, 1);
    }

    /// <summary>[B, 3, H, W]</summary>
    private Tensor Backgrounds(IReadOnlyList<Scene> scenes, Tensor x, Tensor y)
    {
        var first = Colors(scenes.Select(s => s.Background.First));
        var second = Colors(scenes.Select(s => s.Background.Second));
        var period = Numbers(s => s.Background.Period);
        // How much of the second shade: down the picture, in upright bands, in squares
        var wave = (float)(2 * Math.PI) / period;
        var across = (x * wave).sin();
        var down = (y * wave).sin();
        var share =
            Is(Pattern.Gradient) * (y / Numbers(s => s.Size.Height))
            + Is(Pattern.Stripes) * Edge(across)
            + Is(Pattern.Checks) * Edge(across * down);
        return first + share * (second - first);

        Tensor Numbers(Func<Scene, float> value) => tensor(scenes.Select(value).ToArray(), device: device).view(-1, 1, 1, 1);
        Tensor Is(Pattern pattern) => Numbers(s => s.Background.Pattern == pattern ? 1 : 0);
        static Tensor Edge(Tensor wave) => wave.mul(4).add(0.5).clamp(0, 1);
    }

    /// <summary>[B, 3, 1, 1]</summary>
    private Tensor Colors(IEnumerable<float[]> colors) => tensor(colors.SelectMany(c => c).ToArray(), device: device).view(-1, 3, 1, 1);

    /// <summary>[n, F, 4]</summary>
    private Tensor Poses(int[] members, Func<int, Func<double, Pose>> track, Func<int, int> firstFrame, Func<int, int> frames, int count)
    {
        var values = new float[members.Length * count * 4];
        var at = 0;
        foreach (var i in members)
        {
            for (var frame = 0; frame < count; frame++, at += 4)
            {
                var pose = track(i)((firstFrame(i) + frame) / Math.Max(1.0, frames(i) - 1));
                (values[at], values[at + 1], values[at + 2], values[at + 3]) = (pose.X, pose.Y, pose.Radius, pose.Angle);
            }
        }
        return tensor(values, [members.Length, count, 4], device: device);
    }

    /// <summary>Pixel positions seen from the object, turned with it; [n, F, H, W] in pixels, and its radius [n, F, 1, 1].</summary>
    private static (Tensor U, Tensor V, Tensor Radius) Local(Tensor x, Tensor y, Tensor index, Tensor poses)
    {
        Tensor Part(int i) => poses.select(2, i).unsqueeze(-1).unsqueeze(-1);
        var dx = x.index_select(0, index) - Part(0);
        var dy = y.index_select(0, index) - Part(1);
        var (cos, sin) = (Part(3).cos(), Part(3).sin());
        return (dx * cos + dy * sin, dy * cos - dx * sin, Part(2));
    }
}
