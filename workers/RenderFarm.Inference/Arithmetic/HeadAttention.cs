using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Arithmetic;

/// <summary>
/// softmax(q·kᵀ/√D)·v of heads, in the way that is right on this processor. On a card, and in sixteen bits, there is one way.
/// </summary>
public static class HeadAttention
{
    /// <param name="q">[B, H, L, D]</param>
    /// <param name="k">[B, H, S, D]</param>
    /// <param name="v">[B, H, S, D]</param>
    public static Tensor Apply(Tensor q, Tensor k, Tensor v)
    {
        var input = new AttentionInput(q, k, v);
        return q.dtype == ScalarType.Float32 && q.device_type == DeviceType.CPU
            ? ProcessorArithmetic.Attention.Apply(input)
            : Direct(input);
    }

    internal static Operation<AttentionInput> AttentionOperation() =>
        new(
            "attention",
            ProcessorArithmetic.Float32Limit,
            [new("direct", Direct), new("in float64", InFloat64)],
            Definition,
            Trials
        );

    private static Tensor Direct(AttentionInput input) =>
        nn.functional.scaled_dot_product_attention(input.Q, input.K, input.V);

    private static Tensor InFloat64(AttentionInput input)
    {
        using var scope = NewDisposeScope();
        var (q, k, v) = (input.Q.to(ScalarType.Float64), input.K.to(ScalarType.Float64), input.V.to(ScalarType.Float64));
        return nn.functional.scaled_dot_product_attention(q, k, v).to(input.Q.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>In float64, with every weight written out.</summary>
    private static Tensor Definition(AttentionInput input)
    {
        using var scope = NewDisposeScope();
        var (q, k, v) = (input.Q.to(ScalarType.Float64), input.K.to(ScalarType.Float64), input.V.to(ScalarType.Float64));
        var weights = nn.functional.softmax(q.matmul(k.transpose(-2, -1)) / Math.Sqrt(q.shape[^1]), -1);
        return weights.matmul(v).MoveToOuterDisposeScope();
    }

    private static IEnumerable<Trial<AttentionInput>> Trials(TrialTensors numbers)
    {
        foreach (
            var (heads, size, queries, keys) in new[]
            {
                (1, 24, 16, 16),
                (2, 48, 60, 60),
                (2, 128, 77, 33),
                (4, 64, 129, 257),
                (1, 96, 140, 140),
            }
        )
        {
            // Heads lie side by side in each token, as products leave them
            Tensor Heads(int tokens) => numbers.Normal(1, tokens, heads, size).transpose(1, 2);
            yield return new Trial<AttentionInput>(
                $"{heads} heads of {size}, {queries} queries, {keys} keys",
                new AttentionInput(Heads(queries), Heads(keys), Heads(keys))
            );
        }
    }
}
