using RenderFarm.Inference.Layers;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.Layers;

/// <summary>The definitions, checked against formulas written out by hand.</summary>
public sealed class PlainTokenOpsTests
{
    private static readonly PlainTokenOps Ops = new(ScalarType.Float32);

    [Fact]
    public void AddNorm_TwoRuns_GivesEachTokenItsOwnRow()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var (x, y) = (randn(2, 5, 8), randn(2, 5, 8));
        var (gate, scale, shift) = (randn(2, 2, 8), randn(2, 2, 8), randn(2, 2, 8));
        long[] runs = [2, long.MaxValue];
        var affine = new NormAffine(new PerRun(scale, runs), new PerRun(shift, runs), AddsOne: true, 1e-6);

        var (sum, normed) = Ops.AddNorm(x, y, new PerRun(gate, runs), affine, RowFormat.Dense);

        for (var b = 0; b < 2; b++)
        {
            for (var token = 0; token < 5; token++)
            {
                var run = token < 2 ? 0 : 1;
                var row = Row(x, b, token).Zip(Row(y, b, token), Row(gate, b, run)).Select(t => t.First + t.Second * t.Third).ToArray();
                Close(row, Row(sum, b, token));
                var mean = row.Average();
                var deviation = MathF.Sqrt(row.Select(v => (v - mean) * (v - mean)).Average() + 1e-6f);
                Close(
                    row.Zip(Row(scale, b, run), Row(shift, b, run)).Select(t => (t.First - mean) / deviation * (1 + t.Second) + t.Third),
                    Row(normed.Values, b, token)
                );
            }
        }
    }

    [Fact]
    public void NormRotate_ColumnsOfAWiderMatrix_TurnsAdjacentPairs()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        var wide = randn(1, 3, 24);
        var x = wide.narrow(2, 8, 8); // Two heads of four
        var weight = randn(8);
        var angles = view_as_complex(randn(3, 1, 2, 2));

        var rotated = Ops.NormRotate(x, weight, 1e-6, heads: 2, angles);

        Assert.Equal([1L, 3L, 2L, 4L], rotated.shape);
        using var turns = view_as_real(angles);
        for (var token = 0; token < 3; token++)
        {
            var row = Row(x, 0, token);
            var w = weight.data<float>().ToArray();
            var norm = 1 / MathF.Sqrt(row.Select(v => v * v).Average() + 1e-6f);
            for (var head = 0; head < 2; head++)
            {
                for (var pair = 0; pair < 2; pair++)
                {
                    var at = head * 4 + pair * 2;
                    var a = row[at] * norm * w[at];
                    var b = row[at + 1] * norm * w[at + 1];
                    var cos = turns[token, 0, pair, 0].item<float>();
                    var sin = turns[token, 0, pair, 1].item<float>();
                    Assert.Equal(a * cos - b * sin, rotated[0, token, head, pair * 2].item<float>(), 1e-5f);
                    Assert.Equal(a * sin + b * cos, rotated[0, token, head, pair * 2 + 1].item<float>(), 1e-5f);
                }
            }
        }
    }

    [Fact]
    public void Rows_Float8_RestoreToWithinThePrecisionOfTheFormat()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var x = randn(1, 7, 64) * 100;
        x[0, 3] = zeros(64);
        var rows = Ops.Rows(x, RowFormat.Float8);
        var back = rows.Values.to(ScalarType.Float32) * rows.Scales!;
        Assert.Equal(1f, rows.Scales![0, 3, 0].item<float>());
        Assert.True((back - x).norm().item<float>() / x.norm().item<float>() < 0.03f);
        Assert.Equal(448f, rows.Values.to(ScalarType.Float32).abs().max().item<float>());
    }

    [Fact]
    public void Gelu_Rows_IsTheTanhForm()
    {
        using var x = tensor(new[] { -2f, 0f, 1.5f });
        using var y = Ops.Gelu(x.alias().view(1, 1, 3), RowFormat.Dense);
        Close([-0.0454023f, 0f, 1.3995716f], Row(y.Values, 0, 0));
    }

    private static float[] Row(Tensor x, int sample, int token) => x[sample, token].contiguous().data<float>().ToArray();

    private static void Close(IEnumerable<float> expected, IEnumerable<float> actual)
    {
        foreach (var (e, a) in expected.Zip(actual))
        {
            Assert.Equal(e, a, 2e-5f);
        }
    }
}
