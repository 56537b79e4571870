using RenderFarm.Training.Clips;
using static TorchSharp.torch;

namespace RenderFarm.Training.Stages;

/// <summary>Latents of clips of one size with their scenes; the oldest make room for new ones. Owns its tensors.</summary>
internal sealed class LatentPool(int capacity, Device device) : IDisposable
{
    private readonly Scene[] _scenes = new Scene[capacity];
    private Tensor? _latents; // float16 [capacity, C, T, h, w]
    private int _next;

    public int Count { get; private set; }

    /// <param name="batch">[n, C, T, h, w]</param>
    public void Add(Tensor batch, IReadOnlyList<Scene> drawn)
    {
        using var scope = NewDisposeScope();
        _latents ??= zeros([capacity, .. batch.shape[1..]], dtype: ScalarType.Float16, device: device).DetachFromDisposeScope();
        for (var i = 0; i < drawn.Count;)
        {
            var count = Math.Min(drawn.Count - i, capacity - _next);
            _latents.narrow(0, _next, count).copy_(batch.narrow(0, i, count));
            for (var k = 0; k < count; k++)
            {
                _scenes[_next + k] = drawn[i + k];
            }

            _next = (_next + count) % capacity;
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
        return (_latents!.index_select(0, index).to(ScalarType.Float32).MoveToOuterDisposeScope(), [.. picks.Select(i => _scenes[i])]);
    }

    public void Dispose() => _latents?.Dispose();
}
