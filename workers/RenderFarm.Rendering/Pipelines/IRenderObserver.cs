using RenderFarm.Contracts.Videos;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>Hears how a render goes. Called on the rendering thread, from inside the work: silence means a hang.</summary>
public interface IRenderObserver
{
    void StageStarted(RenderStage stage);

    /// <summary>A block, a layer or a latent frame is done; may be called thousands of times.</summary>
    void Alive();

    /// <summary>Denoise step <paramref name="step"/> (from 1) of <paramref name="steps"/> is done.</summary>
    void StepDone(int step, int steps, double seconds);

    void FramesWritten(int frames, int of);
}
