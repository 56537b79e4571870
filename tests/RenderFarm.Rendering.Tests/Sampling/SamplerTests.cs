using RenderFarm.Rendering.Sampling;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Tests.Sampling;

public sealed class SamplerTests
{
    [Theory]
    [InlineData(
        "unipc",
        5,
        5,
        "0.9516961 0.88395232 0.78246313 0.6136024 0.22915041",
        "-0.49285078 -0.48147038 -0.46108192 -0.41739959 -0.2948859"
    )]
    [InlineData(
        "dpm++",
        5,
        5,
        "0.95170897 0.88307786 0.78021091 0.60978383 0.22643673",
        "-0.49286908 -0.48173577 -0.46169767 -0.41838655 -0.29536963"
    )]
    [InlineData(
        "unipc",
        8,
        3,
        "0.95390362 0.90116072 0.84010005 0.76782608 0.68213463 0.58117646 0.46761045 0.31304824",
        "-0.49317747 -0.48430932 -0.47259688 -0.45702198 -0.43547171 -0.40420341 -0.35585031 -0.28181037"
    )]
    [InlineData(
        "dpm++",
        8,
        3,
        "0.95390397 0.90036452 0.83839893 0.76554072 0.67932963 0.57798487 0.46432331 0.31028849",
        "-0.49319321 -0.48454124 -0.47308004 -0.45764032 -0.43617669 -0.40487373 -0.35647202 -0.2823053"
    )]
    public void Advance_ToyVelocity_FollowsTheReferencePath(string name, int steps, double shift, string first, string second)
    {
        var path = Path(name, steps, shift, [1f, -0.5f], (x, t) => 0.7 * x + 0.1 * (3 * x).sin() + 0.3 * t / 1000);

        var expected = first.Split(' ').Zip(second.Split(' '), (a, b) => new[] { float.Parse(a), float.Parse(b) });
        Assert.All(
            path.Zip(expected),
            step => Assert.All(step.First.Zip(step.Second), value => Assert.Equal(value.Second, value.First, 2e-7f))
        );
    }

    /// <summary>With a perfect network (velocity = noise − x0 along the line) every sampler lands on x0.</summary>
    [Theory]
    [InlineData("unipc", 1)]
    [InlineData("dpm++", 1)]
    [InlineData("euler", 1)]
    [InlineData("unipc", 17)]
    [InlineData("dpm++", 17)]
    [InlineData("euler", 17)]
    public void Advance_StraightFlow_LandsOnTheData(string name, int steps)
    {
        using var scope = NewDisposeScope();
        using var sampler = Samplers.Create(name, steps, 5);
        var data = tensor([0.3f, -1.2f, 2.5f]);
        var noise = tensor([-0.7f, 0.4f, 1.1f]);
        var start = sampler.Schedule.Sigmas[0];
        var latent = data * (1 - start) + noise * start;

        while (sampler.Step < sampler.Schedule.Steps)
        {
            latent = sampler.Advance(noise - data, latent);
        }

        Assert.True((latent - data).abs().max().item<float>() < 1e-5f);
    }

    [Theory]
    [InlineData("unipc")]
    [InlineData("dpm++")]
    [InlineData("euler")]
    public void Advance_AfterTheLastStep_Throws(string name)
    {
        using var scope = NewDisposeScope();
        using var sampler = Samplers.Create(name, 2, 5);
        var latent = ones(3);
        latent = sampler.Advance(latent * 0.5, latent);
        latent = sampler.Advance(latent * 0.5, latent);

        Assert.Throws<InvalidOperationException>(() => sampler.Advance(latent, latent));
    }

    [Theory]
    [InlineData("unipc")]
    [InlineData("dpm++")]
    [InlineData("euler")]
    public void Dispose_AfterSteps_LeavesNoTensorBehind(string name)
    {
        using (var warm = zeros(1))
        {
            Assert.Equal(1, warm.numel());
        }

        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;

        Path(name, 6, 3, [1f, 2f], (x, t) => x * (t / 1000));

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Combine_BFloat16Predictions_MixesInFloat32()
    {
        using var scope = NewDisposeScope();
        var conditional = tensor([1.0078125f, -2f]).to_type(ScalarType.BFloat16);
        var unconditional = tensor([1f, 1f]).to_type(ScalarType.BFloat16);

        var mixed = Guidance.Combine(conditional, unconditional, 5);

        Assert.Equal(ScalarType.Float32, mixed.dtype);
        Assert.Equal([1.0390625f, -14f], mixed.data<float>().ToArray());
        Assert.False(Guidance.NeedsUnconditional(1));
    }

    [Fact]
    public void Draw_Seed42_GivesThePublishedCpuValues()
    {
        using var noise = InitialNoise.Draw(42, 16, 21, 60, 104);

        var values = noise.data<float>();
        Assert.Equal([16, 21, 60, 104], noise.shape);
        Assert.Equal(
            [1.926915288f, 1.487284064f, 0.900717199f, -2.105520964f, 0.678418458f, -1.234544873f],
            Enumerable.Range(0, 6).Select(i => values[i])
        );
        Assert.Equal([-0.666932881f, 1.653827667f], [values[values.Count - 2], values[values.Count - 1]]);
    }

    private static List<float[]> Path(string name, int steps, double shift, float[] from, Func<Tensor, float, Tensor> velocity)
    {
        using var scope = NewDisposeScope();
        using var sampler = Samplers.Create(name, steps, shift);
        var latent = tensor(from);
        var path = new List<float[]>();
        while (sampler.Step < sampler.Schedule.Steps)
        {
            latent = sampler.Advance(velocity(latent, sampler.Schedule.Timesteps[sampler.Step]), latent);
            path.Add(latent.data<float>().ToArray());
        }

        return path;
    }
}
