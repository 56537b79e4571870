using static TorchSharp.torch;

namespace RenderFarm.Rendering.Sampling;

/// <summary>
/// One job's way from noise to latent. Holds its own step counter (times may repeat in long schedules, so a
/// step is never looked up by its time) and the history that multistep formulas need; dispose it with the job.
/// </summary>
public interface ISampler : IDisposable
{
    FlowSchedule Schedule { get; }

    /// <summary>Steps taken so far: the index of the next one.</summary>
    int Step { get; }

    /// <summary>
    /// Takes the next step. <paramref name="latent"/> is what the network was given and <paramref name="velocity"/>
    /// its answer, both float32 of one shape. The caller keeps owning both and owns the result.
    /// </summary>
    /// <exception cref="InvalidOperationException">Every step has been taken.</exception>
    Tensor Advance(Tensor velocity, Tensor latent);
}
