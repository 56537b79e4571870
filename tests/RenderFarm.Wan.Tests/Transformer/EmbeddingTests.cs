using RenderFarm.Inference.Layers;
using RenderFarm.Wan.Tests.Synthetic;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Transformer;

public sealed class EmbeddingTests
{
    [Fact]
    public void Sinusoid_MatchesReference()
    {
        using var scope = NewDisposeScope();

        var x = TimeEmbedding.Sinusoid(tensor(new[] { 999.0 }), 256);

        new Statistics(0.2050956, 0.7071068, -5.260679, [0.999650, 0.963782, -0.398992, 0.704821], 0.107147).AssertMatches(x);
    }

    [Fact]
    public void NormRotate_LengthsPutBack_MatchesReferenceRotation()
    {
        using var scope = NewDisposeScope();
        var rows = SyntheticValues.Input("rope", 1.7, 1, 24, 2 * 128);
        var length = rows.square().mean([-1]).sqrt().view(1, 24, 1, 1);

        var angles = RotaryTables.For((2, 3, 4), 128, CPU);
        var x = new PlainTokenOps(ScalarType.Float32).NormRotate(rows, ones(2 * 128), epsilon: 0, heads: 2, angles) * length;

        new Statistics(0.0044164, 0.9849569, 3.347728, [1.124261, -0.113496, -0.967111, -1.694867], -0.178996).AssertMatches(x);
    }

    [Fact]
    public void From_TokenByToken_FindsTheRuns()
    {
        using var perToken = tensor(new[] { 0.0, 0, 700, 700, 700 }).view(1, 5);

        var runs = Timesteps.From(perToken).Runs;

        Assert.Equal([(2, 0), (3, 700)], runs.Select(run => (run.Tokens, run.Values.Single())));
    }

    [Fact]
    public void From_OnePerSample_IsOneRun()
    {
        using var perSample = tensor(new[] { 999.0, 92 });

        Assert.Equal([999, 92], Timesteps.From(perSample).Runs.Single().Values);
    }
}
