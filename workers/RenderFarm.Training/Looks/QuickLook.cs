using RenderFarm.Training.Clips;
using RenderFarm.Training.Text;
using static TorchSharp.torch;

namespace RenderFarm.Training.Looks;

/// <summary>
/// The trainer's own judgement of clips with one moving object, to see how it goes: what differs from the border's colour is
/// the object; where its centre goes is its direction, and the named colour nearest to its own is its colour.
/// </summary>
internal static class QuickLook
{
    /// <param name="clips">Float32 [B, 3, F, H, W] in [0, 1], on the CPU.</param>
    /// <returns>For each clip whether colour, direction and background are as asked.</returns>
    public static IReadOnlyList<(bool Color, bool Direction, bool Background)> Judge(IReadOnlyList<Question> questions, Tensor clips)
    {
        using var scope = NewDisposeScope();
        return [.. questions.Select((question, i) => Judge(question, clips[i]))];
    }

    private static (bool, bool, bool) Judge(Question question, Tensor clip)
    {
        using var scope = NewDisposeScope();
        var f = clip.shape[1];
        var h = clip.shape[2];
        var w = clip.shape[3];
        var border = cat(
            [
                clip.narrow(2, 0, 2).flatten(1),
                clip.narrow(2, h - 2, 2).flatten(1),
                clip.narrow(3, 0, 2).flatten(1),
                clip.narrow(3, w - 2, 2).flatten(1),
            ],
            1
        );
        var ground = border.sort(1).Values.select(1, border.shape[1] / 2); // [3], the median
        var away = (clip - ground.view(3, 1, 1, 1)).square().sum([0]).sqrt();
        var mask = (away > 0.25).to(ScalarType.Float32); // [F, H, W]
        var xs = arange(w, dtype: ScalarType.Float32).view(1, 1, w);
        var ys = arange(h, dtype: ScalarType.Float32).view(1, h, 1);
        var area = mask.sum([1, 2]).clamp(min: 1);
        var cx = ((mask * xs).sum([1, 2]) / area).data<float>().ToArray();
        var cy = ((mask * ys).sum([1, 2]) / area).data<float>().ToArray();
        var (dx, dy) = (cx[f - 1] - cx[0], cy[f - 1] - cy[0]);
        var went =
            Math.Abs(dx) > Math.Abs(dy)
                ? dx > 0
                    ? Motion.Right
                    : Motion.Left
                : dy > 0
                    ? Motion.Down
                    : Motion.Up;
        var moved = Math.Max(Math.Abs(dx), Math.Abs(dy)) > 0.12 * Math.Min(h, w);
        var core = (away > 0.25).unsqueeze(0).expand_as(clip);
        float[] Median(int channel)
        {
            var values = clip[channel].masked_select(core[channel]);
            return [values.numel() == 0 ? -1 : values.median().item<float>()];
        }
        float[] color = [.. Median(0), .. Median(1), .. Median(2)];
        return (
            Nearest(color) == question.Kind.Color,
            moved && went == question.Kind.Motion,
            Nearest([.. ground.data<float>()]) == question.Background
        );
    }

    private static int Nearest(float[] rgb) =>
        Enumerable.Range(0, NamedColor.All.Count).MinBy(i => NamedColor.All[i].DistanceTo(new NamedColor("", rgb[0], rgb[1], rgb[2])));
}
