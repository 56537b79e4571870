using static TorchSharp.torch;

namespace RenderFarm.Rendering.Sampling;

/// <summary>Starting noise of a render.</summary>
public static class InitialNoise
{
    /// <summary>
    /// Standard normal float32 of shape [channels, frames, height, width] in latent units, on the CPU. Always drawn
    /// on the CPU, where a seed means the same values on every machine, and in one call, because the values
    /// depend on how many are drawn at once.
    /// </summary>
    public static Tensor Draw(long seed, int channels, int frames, int height, int width)
    {
        using var generator = new Generator((ulong)seed, CPU);
        return randn([channels, frames, height, width], dtype: ScalarType.Float32, device: CPU, generator: generator);
    }
}
