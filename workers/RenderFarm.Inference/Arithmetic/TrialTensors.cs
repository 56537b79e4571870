using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>Random numbers of its own: a render's noise must not depend on whether a processor was tried before it.</summary>
internal sealed class TrialTensors : IDisposable
{
    private const ulong Seed = 20_261_130;
    private readonly Generator _numbers = new(Seed);

    public Tensor Normal(params long[] shape) => randn(shape, ScalarType.Float32, CPU, generator: _numbers);

    public void Dispose() => _numbers.Dispose();
}
