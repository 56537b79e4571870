using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Wan.Tests.Synthetic;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Vae;

/// <summary>Both VAEs against results of the reference modules on the same synthetic weights.</summary>
public sealed class WanVaeTests
{
    [Fact]
    public void Encode_Wan21_MatchesReference()
    {
        using var scope = NewDisposeScope();
        using var vae = Build(VaeKind.Wan21);

        var latent = vae.Module.Encode(SyntheticValues.Input("video", 1, 1, 3, 9, 16, 24));

        Assert.Equal([1, 4, 3, 2, 3], latent.shape);
        new Statistics(0.0817299, 0.3741800, 0.506840, [-0.001219, -0.170675, 0.342308, 0.241163], 0.762120).AssertMatches(latent);
    }

    [Fact]
    public void Decode_Wan21_MatchesReference()
    {
        using var scope = NewDisposeScope();
        using var vae = Build(VaeKind.Wan21);

        var chunks = vae.Module.DecodeUnclamped(Latent()).ToList();
        var video = cat(chunks, 2);

        Assert.Equal([1, 4, 4], chunks.Select(chunk => chunk.shape[2]));
        new Statistics(0.0298586, 0.3335771, -26.10846, [-0.029504, -0.115402, -0.077430, 0.077936], 0.382613).AssertMatches(video);
    }

    [Theory]
    [InlineData(0, 0.0017222, 0.2024023, 4.657321, new[] { -0.029504, -0.115402, -0.077430, 0.077936 }, 0.189075)]
    [InlineData(1, 0.0183447, 0.2878686, 1.905954, new[] { -0.318002, -0.172600, -0.235838, 0.036449 }, -0.130958)]
    [InlineData(4, 0.1301716, 0.3662181, -0.762817, new[] { -0.259786, -0.336208, -0.299895, -0.465596 }, 0.102643)]
    [InlineData(5, 0.0325818, 0.3462414, -5.032490, new[] { 0.048528, -0.104876, 0.255117, 0.441935 }, -0.011360)]
    [InlineData(8, -0.0328073, 0.3548537, 4.896422, new[] { -0.192624, -0.060918, -0.471470, -0.246940 }, 0.382613)]
    public void Decode_Wan21FrameAtAChunkBorder_MatchesReference(
        int frame,
        double mean,
        double rms,
        double check,
        double[] first,
        double last
    )
    {
        using var scope = NewDisposeScope();
        using var vae = Build(VaeKind.Wan21);

        var video = cat(vae.Module.DecodeUnclamped(Latent()).ToList(), 2);

        new Statistics(mean, rms, check, first, last).AssertMatches(video.select(2, frame));
    }

    [Theory]
    [InlineData(VaeKind.Wan21)]
    [InlineData(VaeKind.Wan22)]
    public void FramesAsChannels_VideoThereAndBack_GivesTheSame(VaeKind kind)
    {
        using var scope = NewDisposeScope();
        using var vae = Build(kind);
        using var other = Build(kind, framesAsChannels: true);
        var video = SyntheticValues.Input("video", 2, 2, 3, 9, 32, 48);

        var (latent, latentOfOther) = (vae.Module.Encode(video), other.Module.Encode(video));
        var (frames, framesOfOther) = (
            cat(vae.Module.DecodeUnclamped(latent).ToList(), 2),
            cat(other.Module.DecodeUnclamped(latent).ToList(), 2)
        );

        Assert.True(latentOfOther.allclose(latent, rtol: 1e-4, atol: 1e-4));
        Assert.True(framesOfOther.allclose(frames, rtol: 1e-4, atol: 1e-4));
    }

    [Theory]
    [InlineData(VaeKind.Wan21)]
    [InlineData(VaeKind.Wan22)]
    public void ChannelsInnermost_Weights_GiveTheSameVideo(VaeKind kind)
    {
        using var scope = NewDisposeScope();
        using var vae = Build(kind, framesAsChannels: true);
        using var laidOut = Build(kind, framesAsChannels: true, WanVae.ChannelsInnermost);

        var (frames, others) = (
            cat(vae.Module.DecodeUnclamped(Latent()).ToList(), 2),
            cat(laidOut.Module.DecodeUnclamped(Latent()).ToList(), 2)
        );

        Assert.True(others.allclose(frames, rtol: 1e-4, atol: 1e-4));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void ChannelsInnermost_Tensor_KeepsShapeAndValues(int rank)
    {
        using var scope = NewDisposeScope();
        var weight = randn([.. new long[] { 5, 4, 3, 3, 2 }[..rank]]);
        var values = weight.clone();

        var laid = WanVae.ChannelsInnermost(weight);

        Assert.True(laid.equal(values).all().item<bool>());
        Assert.Equal(1, rank < 4 ? laid.stride(rank - 1) : laid.stride(1)); // What lies beside each other in memory
    }

    [Fact]
    public void Encode_Wan22_MatchesReference()
    {
        using var scope = NewDisposeScope();
        using var vae = Build(VaeKind.Wan22);

        var latent = vae.Module.Encode(SyntheticValues.Input("video22", 1, 1, 3, 9, 32, 48));

        new Statistics(0.0234134, 0.3760793, 1.314923, [-0.003703, -0.020088, 0.383205, 0.366192], 0.022693).AssertMatches(latent);
    }

    [Fact]
    public void Decode_Wan22_MatchesReference()
    {
        using var scope = NewDisposeScope();
        using var vae = Build(VaeKind.Wan22);

        var video = cat(vae.Module.DecodeUnclamped(Latent()).ToList(), 2);

        Assert.Equal([1, 3, 9, 32, 48], video.shape);
        new Statistics(-0.1034244, 0.5775035, -7.773446, [-0.291594, 0.378155, -0.210280, 0.370233], -0.120531).AssertMatches(video);
    }

    [Theory]
    [InlineData(VaeKind.Wan21)]
    [InlineData(VaeKind.Wan22)]
    public void Decode_AnotherVideoBefore_ChangesNothingAndLeavesNoTensors(VaeKind kind)
    {
        using var vae = Build(kind);
        using var z = Latent();
        using var other = z.flip(2);
        var expected = Decoded(vae.Module, z);
        Decoded(vae.Module, other);
        var before = Tensor.TotalCount;

        Assert.Equal(expected, Decoded(vae.Module, z));
        Assert.InRange(Tensor.TotalCount, 0, before); // Fewer when the garbage of an earlier test went meanwhile
    }

    [Fact]
    public void Decode_AbandonedHalfWay_LeavesNoTensors()
    {
        using var vae = Build(VaeKind.Wan21);
        using var z = Latent();
        var before = Tensor.TotalCount;

        foreach (var frames in vae.Module.Decode(z))
        {
            frames.Dispose();
            break;
        }

        Assert.InRange(Tensor.TotalCount, 0, before); // Fewer when the garbage of an earlier test went meanwhile
    }

    [Fact]
    public void Encode_LeavesNoTensors()
    {
        using var vae = Build(VaeKind.Wan21);
        using var video = SyntheticValues.Input("video", 1, 1, 3, 9, 16, 24);
        var before = Tensor.TotalCount;

        vae.Module.Encode(video).Dispose();

        Assert.InRange(Tensor.TotalCount, 0, before); // Fewer when the garbage of an earlier test went meanwhile
    }

    [Fact]
    public void Decode_LoudLatent_IsClamped()
    {
        using var scope = NewDisposeScope();
        using var vae = Build(VaeKind.Wan22);

        var loud = cat(vae.Module.Decode(Latent() * 30).ToList(), 2);

        Assert.Equal(1, loud.max().item<float>());
        Assert.Equal(-1, loud.min().item<float>());
    }

    [Fact]
    public void Encode_WrongSize_SaysWhatIsNeeded()
    {
        using var scope = NewDisposeScope();
        using var vae = Build(VaeKind.Wan21);

        Assert.Contains("4n+1", Assert.Throws<ArgumentException>(() => vae.Module.Encode(zeros([1, 3, 8, 16, 24]))).Message);
        Assert.Contains("multiples of 8", Assert.Throws<ArgumentException>(() => vae.Module.Encode(zeros([1, 3, 9, 17, 24]))).Message);
        Assert.Contains("[B, 4, T, h, w]", Assert.Throws<ArgumentException>(() => vae.Module.Decode(zeros([1, 16, 3, 2, 3]))).Message);
    }

    private static Tensor Latent() => SyntheticValues.Input("z", 1.7, 1, 4, 3, 2, 3);

    private static float[] Decoded(WanVae vae, Tensor z)
    {
        var values = new List<float>();
        foreach (var frames in vae.Decode(z))
        {
            using (frames)
            using (var row = frames.contiguous())
            {
                values.AddRange(row.data<float>().ToArray());
            }
        }

        return [.. values];
    }

    private static Loaded<WanVae> Build(VaeKind kind, bool framesAsChannels = false, Func<Tensor, Tensor>? arrange = null)
    {
        var shape = new VaeShape
        {
            Kind = kind,
            Dim = 8,
            DecoderDim = 8,
            LatentChannels = 4,
            LatentMean = [0, 0, 0, 0],
            LatentStd = [1, 1, 1, 1],
        };
        return SyntheticSource.Build(
            weights => new WanVae(weights, shape) { FramesAsChannels = framesAsChannels },
            arrange: arrange
        );
    }
}
