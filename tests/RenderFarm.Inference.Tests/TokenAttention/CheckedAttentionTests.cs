using RenderFarm.Inference.Layers;
using RenderFarm.Inference.TokenAttention;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.TokenAttention;

/// <summary>Never noise in silence: a block whose head is off attends in full and says so.</summary>
public sealed class CheckedAttentionTests
{
    private static readonly FullAttention Full = new(new PlainTokenOps(ScalarType.Float32));

    [Fact]
    public void Apply_RightEverywhere_StaysInEightBitsAndSaysNothing()
    {
        using var scope = NewDisposeScope();
        var inputs = AttentionInputs.Random(300);
        var attention = new CheckedAttention(new PlainEightBitAttention(), Full);
        var expected = inputs.Apply(new PlainEightBitAttention());

        Assert.True(inputs.Apply(attention).equal(expected).all().item<bool>());
        Assert.True(inputs.Apply(attention).equal(expected).all().item<bool>());
        Assert.Empty(attention.Notes);
    }

    [Theory]
    [InlineData(0.5f)]
    [InlineData(float.NaN)]
    public void Apply_OneBlockOff_GoesOnInFullThereAndSaysSo(float noise)
    {
        using var scope = NewDisposeScope();
        var inputs = AttentionInputs.Random(300);
        var (eightBit, expected) = (new NoisyInOneBlock(3, noise), inputs.Apply(Full));
        var attention = new CheckedAttention(eightBit, Full);

        for (var forward = 0; forward < 2; forward++)
        {
            for (var block = 2; block < 5; block++)
            {
                var actual = attention.Apply(block, inputs.Joined.clone(), inputs.Norms, inputs.Angles);
                Assert.InRange(AttentionInputs.Error(actual, expected), 0, block == 3 ? 1e-6 : 0.05);
            }
        }

        Assert.Equal(1, eightBit.AskedOfThatBlock);
        Assert.Matches(
            @"off by more than 0.08 in block 3 \((0\.\d\d|\d\.\d\d|NaN)\): attended in full there",
            Assert.Single(attention.Notes)
        );
    }

    private sealed class NoisyInOneBlock(int noisy, float noise) : IAttention
    {
        private readonly PlainEightBitAttention _right = new();

        public int AskedOfThatBlock { get; private set; }

        public Tensor Apply(int block, Tensor joined, HeadNorms norms, Tensor angles)
        {
            var result = _right.Apply(block, joined, norms, angles);
            if (block != noisy)
            {
                return result;
            }
            AskedOfThatBlock++;
            return result.add_(noise);
        }
    }
}
