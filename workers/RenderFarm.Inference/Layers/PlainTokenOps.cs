using RenderFarm.Inference.Quantization;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Layers;

/// <summary>The definition, in plain tensors on any device, differentiable. Norms and modulation are float32.</summary>
/// <param name="type">The compute type that dense rows are handed over in.</param>
public sealed class PlainTokenOps(ScalarType type) : ITokenOps
{
    public Activation Norm(Tensor x, NormAffine affine, RowFormat format)
    {
        using var scope = NewDisposeScope();
        using var exact = x.to(ScalarType.Float32);
        var normed = nn.functional.layer_norm(exact, [x.shape[^1]], eps: affine.Epsilon);
        return Form(Affine(normed, affine), format).MoveToOuterDisposeScope();
    }

    public (Tensor X, Activation Normed) AddNorm(Tensor x, Tensor y, PerRun? gate, NormAffine affine, RowFormat format)
    {
        var sum = Add(x, y, gate);
        return (sum, Norm(sum, affine, format));
    }

    public Tensor Add(Tensor x, Tensor y, PerRun? gate)
    {
        using var scope = NewDisposeScope();
        y = y.to(x.dtype);
        var sum = gate is null ? x + y : x + ByRun(y, gate.Value.Runs, (part, run) => part * gate.Value.Rows.narrow(1, run, 1));
        return sum.MoveToOuterDisposeScope();
    }

    public Tensor NormRotate(Tensor x, Tensor weight, double epsilon, int heads, Tensor? angles)
    {
        using var scope = NewDisposeScope();
        var exact = x.to(ScalarType.Float32);
        exact = exact * rsqrt(exact.square().mean([-1], keepdim: true) + epsilon) * weight;
        exact = exact.unflatten(2, heads, x.shape[^1] / heads); // [B, L, H, D]
        if (angles is not null)
        {
            var pairs = view_as_complex(exact.unflatten(3, exact.shape[3] / 2, 2).contiguous()); // [B, L, H, D/2]
            exact = view_as_real(pairs * angles).flatten(-2);
        }
        return exact.to(x.dtype).MoveToOuterDisposeScope();
    }

    public Activation Rows(Tensor x, RowFormat format)
    {
        using var scope = NewDisposeScope();
        return Form(x.alias(), format).MoveToOuterDisposeScope();
    }

    public Activation Gelu(Tensor x, RowFormat format)
    {
        using (x)
        {
            using var scope = NewDisposeScope();
            return Form(nn.functional.gelu(x, TorchSharp.Modules.GELU.Approximate.tanh), format).MoveToOuterDisposeScope();
        }
    }

    private Activation Form(Tensor x, RowFormat format)
    {
        if (format == RowFormat.Dense)
        {
            return new Activation(x.to(type));
        }

        var (values, scales) = EightBits.QuantizeRows(x, format == RowFormat.Int8 ? Int8.Type : Float8.Type);
        return new Activation(values, scales);
    }

    private static Tensor Affine(Tensor x, NormAffine affine) =>
        ByRun(
            x,
            affine.Scale.Runs,
            (part, run) =>
            {
                var scale = affine.Scale.Rows.narrow(1, run, 1);
                return affine.Shift.Rows.narrow(1, run, 1).addcmul(part, affine.AddsOne ? scale + 1 : scale, 1);
            }
        );

    private static Tensor ByRun(Tensor x, IReadOnlyList<long> runs, Func<Tensor, int, Tensor> apply)
    {
        if (runs.Count == 1)
        {
            return apply(x, 0);
        }

        var parts = new List<Tensor>(runs.Count);
        long at = 0;
        var length = x.shape[1];
        for (var run = 0; run < runs.Count && at < length; run++)
        {
            var tokens = run == runs.Count - 1 ? length - at : Math.Min(runs[run], length - at);
            parts.Add(apply(x.narrow(1, at, tokens), run));
            at += tokens;
        }
        return cat(parts, 1);
    }
}
