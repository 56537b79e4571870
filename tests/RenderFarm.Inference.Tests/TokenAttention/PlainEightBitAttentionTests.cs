using RenderFarm.Inference.Layers;
using RenderFarm.Inference.TokenAttention;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.TokenAttention;

/// <summary>The definition of eight-bit attention against attention in float32; the kernels are held to the same on a card.</summary>
public sealed class PlainEightBitAttentionTests
{
    private static readonly PlainEightBitAttention EightBit = new();
    private static readonly FullAttention Full = new(new PlainTokenOps(ScalarType.Float32));

    [Theory]
    [InlineData(1, 0.02)]
    [InlineData(2, 0.04)]
    [InlineData(127, 0.045)]
    [InlineData(128, 0.045)]
    [InlineData(129, 0.045)]
    [InlineData(777, 0.045)]
    public void Apply_AnyNumberOfTokens_ComesNearFull(int tokens, double limit)
    {
        using var scope = NewDisposeScope();
        var inputs = AttentionInputs.Random(tokens);

        var actual = inputs.Apply(EightBit);

        Assert.Equal([1L, tokens, 2 * AttentionInputs.HeadDim], actual.shape);
        Assert.InRange(AttentionInputs.Error(actual, inputs.Apply(Full)), 0, limit);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Apply_ChannelsThatStandOut_ComesNearFull(double spread)
    {
        using var scope = NewDisposeScope();
        var inputs = AttentionInputs.Random(640, spread: spread, outlier: 8, keyMean: 4);

        Assert.InRange(AttentionInputs.Error(inputs.Apply(EightBit), inputs.Apply(Full)), 0, 0.045);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(129)]
    [InlineData(777)]
    public void Apply_ValuesLeftAsTheyAre_ComesNearerToFull(int tokens)
    {
        using var scope = NewDisposeScope();
        var inputs = AttentionInputs.Random(tokens);
        var full = inputs.Apply(Full);

        var rounded = AttentionInputs.Error(inputs.Apply(EightBit), full);
        var asTheyAre = AttentionInputs.Error(inputs.Apply(new PlainEightBitAttention(roundsValues: false)), full);

        Assert.InRange(asTheyAre, 0, 0.03);
        Assert.True(asTheyAre < rounded, $"{asTheyAre}, with v rounded {rounded}");
    }

    [Fact]
    public void Apply_KeysWithAStrongMean_TakesItOut()
    {
        using var scope = NewDisposeScope();
        var inputs = AttentionInputs.Random(640, keyMean: 40, turned: false);

        Assert.InRange(AttentionInputs.Error(inputs.Apply(EightBit), inputs.Apply(Full)), 0, 0.045);
    }

    [Fact]
    public void Apply_Batch_IsThatOfEachSample()
    {
        using var scope = NewDisposeScope();
        var both = AttentionInputs.Random(150, batch: 2);
        var second = both with { Joined = both.Joined.narrow(0, 1, 1) };

        Assert.True(both.Apply(EightBit).narrow(0, 1, 1).allclose(second.Apply(EightBit), 1e-5, 1e-6));
    }

    [Fact]
    public void Apply_ValuesOfZero_GivesZero()
    {
        using var scope = NewDisposeScope();
        var inputs = AttentionInputs.Random(200);
        inputs.Joined.narrow(2, 2 * 256, 256).zero_();

        Assert.Equal(0, inputs.Apply(EightBit).abs().max().item<float>());
    }

    [Fact]
    public void Apply_QueriesOfZero_AveragesTheValues()
    {
        using var scope = NewDisposeScope();
        var inputs = AttentionInputs.Random(200);
        inputs.Joined.narrow(2, 0, 256).zero_();

        var mean = inputs.Joined.narrow(2, 512, 256).mean([1], keepdim: true).expand(-1, 200, -1);
        Assert.InRange(AttentionInputs.Error(inputs.Apply(EightBit), mean), 0, 0.05);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    [InlineData(512)]
    public void Apply_NotANumber_IsSeen(int column)
    {
        using var scope = NewDisposeScope();
        var inputs = AttentionInputs.Random(200);
        inputs.Joined[0, 7, column + 5] = float.NaN;

        Assert.True(inputs.Apply(EightBit)[0, 7].isnan().any().item<bool>());
    }

    [Fact]
    public void Apply_HeadsOfAnotherSize_IsRefused()
    {
        using var scope = NewDisposeScope();
        var norms = new HeadNorms(ones(48), ones(48), 1e-6, Heads: 2);

        var refusal = Assert.Throws<ArgumentException>(() =>
            EightBit.Apply(0, randn(1, 3, 144), norms, polar(ones(3, 1, 12), zeros(3, 1, 12)))
        );

        Assert.Contains("heads of 24 channels", refusal.Message, StringComparison.Ordinal);
    }
}
