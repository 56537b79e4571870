using RenderFarm.Training.Clips;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>Latents of clips of one size with their scenes; the oldest make room for new ones. Owns its tensors.</summary>
internal sealed class LatentPool(int capacity, Device device) : IDisposable
{
    private readonly Scene[] scenes = new Scene[capacity];
    private Tensor? latents; // float16 [capacity, C, T, h, w]
    private int next;

    public int Count { get; private set; }

    /// <param name="batch">[n, C, T, h, w]</param>
    public void Add(Tensor batch, IReadOnlyList<Scene> drawn)
    {
        using var scope = NewDisposeScope();
        latents ??= zeros([capacity, .. batch.shape[1..]], dtype: ScalarType.Float16, device: device).DetachFromDisposeScope();
        for (var i = 0; i < drawn.Count; )
        {
            int count = Math.Min(drawn.Count - i, capacity - next);
            latents.narrow(0, next, count).copy_(batch.narrow(0, i, count));
            for (var k = 0; k < count; k++)
                scenes[next + k] = drawn[i + k];
            next = (next + count) % capacity;
            Count = Math.Min(capacity, Count + count);
            i += count;
        }
    }

    /// <returns>Float32 latents [n, C, T, h, w] in the caller's dispose scope, and their scenes.</returns>
    public (Tensor Latents, List<Scene> Scenes) Draw(Random random, int count)
    {
        using var scope = NewDisposeScope();
        var picks = Enumerable.Range(0, count).Select(_ => (long)random.Next(Count)).ToArray();
        var index = tensor(picks, device: device);
        return (latents!.index_select(0, index).to(ScalarType.Float32).MoveToOuterDisposeScope(), [.. picks.Select(i => scenes[i])]);
    }

    public void Dispose() => latents?.Dispose();
}
