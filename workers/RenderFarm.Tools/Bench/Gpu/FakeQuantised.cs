using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>
/// Float32 weights whose products behave as if stored in eight bits, and with <paramref name="activations"/> as if their rows were
/// too, computed exactly otherwise: what the scheme itself costs, without the arithmetic of the card.
/// </summary>
internal sealed class FakeQuantised(IWeights exact, ScalarType code, bool activations) : IWeights, IDisposable
{
    private readonly List<Tensor> _made = [];

    private FakeQuantised(IWeights exact, ScalarType code, bool activations, List<Tensor> made)
        : this(exact, code, activations) => _made = made;

    public ScalarType Type => exact.Type;

    public IWeights Scope(string name) => new FakeQuantised(exact.Scope(name), code, activations, _made);

    public IWeights As(ScalarType type) => exact.As(type);

    public Tensor Tensor(string name, params ReadOnlySpan<long> shape) => exact.Tensor(name, shape);

    public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true)
    {
        var weight = Rounded(exact.Tensor(name + ".weight", outFeatures, inFeatures), code).DetachFromDisposeScope();
        _made.Add(weight);
        return new Product(weight, bias ? exact.Tensor(name + ".bias", outFeatures) : null, activations ? code : null);
    }

    public void Dispose()
    {
        foreach (var weight in _made)
        {
            weight.Dispose();
        }

        _made.Clear();
    }

    private static Tensor Rounded(Tensor rows, ScalarType code)
    {
        var (values, scales) = EightBits.QuantizeRows(rows, code);
        using (values)
        using (scales)
        {
            return EightBits.Dequantize(values, scales, ScalarType.Float32);
        }
    }

    private sealed class Product(Tensor weight, Tensor? bias, ScalarType? rowCode) : Linear
    {
        public override Tensor Apply(Tensor x)
        {
            using var rows = rowCode is { } code ? Rounded(x, code) : x.alias();
            return nn.functional.linear(rows, weight, bias);
        }
    }
}
