using RenderFarm.Contracts.Models;
using RenderFarm.Wan.Tests.Synthetic;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Transformer;

/// <summary>Every variant against results of the reference modules on the same synthetic weights.</summary>
public sealed class WanModelTests
{
    [Theory]
    [InlineData(999, -0.0768422, 1.2014909, -25.32215, new[] { 0.623129, -0.117118, 0.808019, -0.429656 }, 0.903903)]
    [InlineData(92, 0.0354014, 1.1478662, -41.13913, new[] { -0.236894, 0.423388, -0.077137, 0.350733 }, 0.280656)]
    public void Forward_TextToVideo_MatchesReference(double timestep, double mean, double rms, double check, double[] first, double last)
    {
        using var scope = NewDisposeScope();
        using var model = SyntheticModel.Build(SyntheticModel.Shape);
        using var context = model.Module.Embed([SyntheticModel.Context()]);

        var v = model.Module.Forward(SyntheticModel.Latent(), Timesteps.Uniform(timestep), context);

        Assert.Equal([1, 16, 2, 4, 6], v.shape);
        new Statistics(mean, rms, check, first, last).AssertMatches(v);
    }

    [Theory]
    [InlineData(
        ImageBranch.Clip,
        "clip", 1, -0.0842510, 1.1917864, -8.98907,
        new[] { -0.700810, -0.797249, -1.545185, 1.194612 },
        -1.411263
    )]
    [InlineData(
        ImageBranch.ClipFirstLast,
        "clip2", 2, -0.0785278, 1.1801979, -7.80391,
        new[] { -0.686219, -0.903117, -1.538738, 1.087021 },
        -1.394237
    )]
    public void Forward_ImageToVideo_MatchesReference(
        ImageBranch branch,
        string clip,
        int pictures,
        double mean,
        double rms,
        double check,
        double[] first,
        double last
    )
    {
        using var scope = NewDisposeScope();
        using var model = SyntheticModel.Build(SyntheticModel.Shape with { InChannels = 36, ImageBranch = branch });
        using var context = model.Module.Embed([SyntheticModel.Context()], SyntheticValues.Input(clip, 1.7, pictures, 257, 1280));

        var v = model.Module.Forward(
            SyntheticModel.Latent(),
            Timesteps.Uniform(500),
            context,
            SyntheticValues.Input("y", 1.7, 1, 20, 2, 4, 6)
        );

        new Statistics(mean, rms, check, first, last).AssertMatches(v);
    }

    [Fact]
    public void Forward_FirstFrameGiven_MatchesReferenceWithTimestepPerToken()
    {
        using var scope = NewDisposeScope();
        using var model = SyntheticModel.Build(SyntheticModel.Shape with { InChannels = 48, OutChannels = 48 });
        using var context = model.Module.Embed([SyntheticModel.Context()]);

        var v = model.Module.Forward(SyntheticModel.Latent(48), Timesteps.FirstFrameGiven(frameTokens: 6, 700), context);

        new Statistics(-0.0000109, 1.2254981, -28.15336, [-1.623480, -0.281570, 0.030018, 0.342958], -0.841971).AssertMatches(v);
    }

    [Fact]
    public void Forward_BatchAtOneTimestep_IsEachSampleAlone()
    {
        using var scope = NewDisposeScope();
        using var model = SyntheticModel.Build(SyntheticModel.Shape);
        using var other = SyntheticModel.Context().mul(-0.5);
        using var both = model.Module.Embed([SyntheticModel.Context(), other]);
        using var alone = model.Module.Embed([other]);
        var x = SyntheticModel.Latent();

        var pair = model.Module.Forward(x.expand(2, -1, -1, -1, -1), Timesteps.Uniform(500), both);
        var second = model.Module.Forward(x, Timesteps.Uniform(500), alone);

        Assert.True(pair.narrow(0, 1, 1).allclose(second, 1e-5, 1e-5));
        Assert.False(pair.narrow(0, 0, 1).allclose(second, 1e-5, 1e-5));
    }

    [Fact]
    public void Forward_Twice_IsTheSameAndLeavesNoTensors()
    {
        using var model = SyntheticModel.Build(SyntheticModel.Shape);
        using var x = SyntheticModel.Latent();
        using var text = SyntheticModel.Context();
        using (var context = model.Module.Embed([text]))
        using (model.Module.Forward(x, Timesteps.Uniform(500), context)) { }
        var before = Tensor.TotalCount;

        using (var context = model.Module.Embed([text]))
        using (var first = model.Module.Forward(x, Timesteps.Uniform(500), context))
        using (var second = model.Module.Forward(x, Timesteps.Uniform(500), context))
        {
            Assert.Equal(first.data<float>().ToArray(), second.data<float>().ToArray());
        }

        Assert.InRange(Tensor.TotalCount, 0, before); // Fewer when the garbage of an earlier test went meanwhile
    }

    [Fact]
    public void Forward_KeyValuesNotKept_OrFeedForwardInPieces_ChangesNothing()
    {
        using var scope = NewDisposeScope();
        using var model = SyntheticModel.Build(SyntheticModel.Shape);
        using var kept = model.Module.Embed([SyntheticModel.Context()]);
        using var formedAnew = model.Module.Embed([SyntheticModel.Context()], keepKeyValues: false);

        var plain = model.Module.Forward(SyntheticModel.Latent(), Timesteps.Uniform(500), kept);
        var sparing = model.Module.Forward(SyntheticModel.Latent(), Timesteps.Uniform(500), formedAnew, feedForwardTokens: 5);

        Assert.True(plain.allclose(sparing, rtol: 0, atol: 1e-5));
    }

    [Fact]
    public void Forward_BatchOfTwo_IsEachAlone()
    {
        using var scope = NewDisposeScope();
        using var model = SyntheticModel.Build(SyntheticModel.Shape);
        var (x, a, b) = (SyntheticModel.Latent(), SyntheticModel.Context(), SyntheticValues.Input("other", 1.7, 9, 64));
        using var both = model.Module.Embed([a, b]);
        using var second = model.Module.Embed([b]);

        var batch = model.Module.Forward(cat([x, x * 0.5]), Timesteps.Uniform(700, 300), both);
        var alone = model.Module.Forward(x * 0.5, Timesteps.Uniform(300), second);

        Assert.True(batch.narrow(0, 1, 1).allclose(alone, rtol: 0, atol: 1e-5));
    }

    [Fact]
    public void Forward_Bfloat16_StaysNearFloat32()
    {
        using var scope = NewDisposeScope();
        using var exact = SyntheticModel.Build(SyntheticModel.Shape);
        using var rounded = SyntheticModel.Build(SyntheticModel.Shape, ScalarType.BFloat16);
        using var exactContext = exact.Module.Embed([SyntheticModel.Context()]);
        using var roundedContext = rounded.Module.Embed([SyntheticModel.Context()]);

        var a = rounded.Module.Forward(SyntheticModel.Latent(), Timesteps.Uniform(500), roundedContext);
        var b = exact.Module.Forward(SyntheticModel.Latent(), Timesteps.Uniform(500), exactContext);

        Assert.Equal(ScalarType.Float32, a.dtype);
        Assert.InRange(((a - b).norm() / b.norm()).item<float>(), 1e-5, 2e-2);
    }

    [Fact]
    public void Forward_WrongInputs_SaysWhatTheModelTakes()
    {
        using var scope = NewDisposeScope();
        using var model = SyntheticModel.Build(SyntheticModel.Shape);
        using var context = model.Module.Embed([SyntheticModel.Context()]);
        var t = Timesteps.Uniform(500);

        Assert.Contains(
            "[B, 16, F, H, W]",
            Assert.Throws<ArgumentException>(() => model.Module.Forward(zeros([1, 36, 2, 4, 6]), t, context)).Message
        );
        Assert.Contains("even", Assert.Throws<ArgumentException>(() => model.Module.Forward(zeros([1, 16, 2, 5, 6]), t, context)).Message);
        Assert.Contains(
            "timesteps",
            Assert
                .Throws<ArgumentException>(() => model.Module.Forward(zeros([2, 16, 2, 4, 6]), Timesteps.Uniform(500, 400, 300), context))
                .Message
        );
        Assert.Contains("up to 512, 64", Assert.Throws<ArgumentException>(() => model.Module.Embed([zeros(513, 64)])).Message);
        Assert.Contains("picture", Assert.Throws<ArgumentException>(() => model.Module.Embed([zeros(5, 64)], zeros(1, 257, 1280))).Message);
    }
}
