using RenderFarm.Training.Clips;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>
/// Windows of clips, painted for several steps at once: a call paints hundreds as quickly as a few. Owns what it has
/// painted ahead.
/// </summary>
internal sealed class WindowSource(SceneGenerator scenes, ClipPainter painter, Random random, ClipSize whole, int ahead) : IDisposable
{
    private readonly Dictionary<(ClipSize Part, int Count), (Tensor Painted, int Used)> _painted = [];

    /// <summary>Scenes drawn so far; a run that goes on sets it where the one before stopped.</summary>
    public long Drawn { get; set; }

    /// <returns>Float32 [count, 3, F, H, W] in [−1, 1]; a view in the caller's dispose scope.</returns>
    public Tensor Next(ClipSize part, int count)
    {
        if (!_painted.TryGetValue((part, count), out var batch) || batch.Used == ahead)
        {
            batch.Painted?.Dispose();
            batch = (Paint(part, count * ahead).DetachFromDisposeScope(), 0);
        }
        _painted[(part, count)] = batch with { Used = batch.Used + 1 };
        return batch.Painted.narrow(0, batch.Used * count, count);
    }

    public void Dispose()
    {
        foreach (var (batch, _) in _painted.Values)
        {
            batch.Dispose();
        }
    }

    private Tensor Paint(ClipSize part, int count)
    {
        var clips = Enumerable.Range(0, count).Select(_ => scenes.Draw(Drawn++, whole)).ToList();
        return painter.Paint(clips, [.. clips.Select(clip => Somewhere(clip, part))], part);
    }

    /// <summary>Mostly about an object, at a moment of its way: what is plain is learned soon.</summary>
    private Window Somewhere(Scene scene, ClipSize part)
    {
        var frame = random.Next(whole.Frames - part.Frames + 1);
        if (random.NextDouble() < 0.2)
        {
            return new Window(random.Next(whole.Width - part.Width + 1), random.Next(whole.Height - part.Height + 1), frame);
        }

        var pose = scene
            .Objects[random.Next(scene.Objects.Count)]
            .Track((frame + random.Next(part.Frames)) / Math.Max(1.0, whole.Frames - 1));
        return new Window(Corner(pose.X, whole.Width, part.Width), Corner(pose.Y, whole.Height, part.Height), frame);

        int Corner(float centre, int length, int window) => Math.Clamp((int)centre - random.Next(window), 0, length - window);
    }
}
