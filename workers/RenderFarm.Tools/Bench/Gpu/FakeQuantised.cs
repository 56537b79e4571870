using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Tools.Bench.Gpu;

/// <summary>
/// Float32 weights whose products behave as if stored in e4m3, and with <paramref name="activations"/> as if their rows were
/// e4m3 too, computed exactly otherwise: what the scheme itself costs, without the arithmetic of the card.
/// </summary>
internal sealed class FakeQuantised(IWeights exact, bool activations) : IWeights, IDisposable
{
    private readonly List<Tensor> _made = [];

    private FakeQuantised(IWeights exact, bool activations, List<Tensor> made)
        : this(exact, activations) => _made = made;

    public ScalarType Type => exact.Type;

    public IWeights Scope(string name) => new FakeQuantised(exact.Scope(name), activations, _made);

    public IWeights As(ScalarType type) => exact.As(type);

    public Tensor Tensor(string name, params ReadOnlySpan<long> shape) => exact.Tensor(name, shape);

    public Linear Linear(string name, int inFeatures, int outFeatures, bool bias = true)
    {
        var weight = Rounded(exact.Tensor(name + ".weight", outFeatures, inFeatures)).DetachFromDisposeScope();
        _made.Add(weight);
        return new Product(weight, bias ? exact.Tensor(name + ".bias", outFeatures) : null, activations);
    }

    public void Dispose()
    {
        foreach (var weight in _made)
        {
            weight.Dispose();
        }

        _made.Clear();
    }

    private static Tensor Rounded(Tensor rows)
    {
        var (values, scales) = Float8.QuantizeRows(rows);
        using (values)
        using (scales)
        {
            return Float8.Dequantize(values, scales, ScalarType.Float32);
        }
    }

    private sealed class Product(Tensor weight, Tensor? bias, bool activations) : Linear
    {
        public override Tensor Apply(Tensor x)
        {
            using var rows = activations ? Rounded(x) : x.alias();
            return nn.functional.linear(rows, weight, bias);
        }
    }
}
