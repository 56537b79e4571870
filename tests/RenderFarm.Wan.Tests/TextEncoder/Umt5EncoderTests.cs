using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Testing;
using RenderFarm.Wan.TextEncoder;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.TextEncoder;

public sealed class Umt5EncoderTests : IDisposable
{
    private static readonly TextEncoderShape Shape = new()
    {
        Vocabulary = 400,
        Dim = 64,
        AttentionDim = 80,
        FfnDim = 112,
        Heads = 5,
        Layers = 3,
    };

    private readonly SafetensorsFile _file = SafetensorsFile.Open(GoldenFiles.Path("umt5.safetensors"));
    private readonly ITensorSource _source;
    private readonly DisposeScope _scope = NewDisposeScope();

    public Umt5EncoderTests() => _source = new PrefixedSource(_file, "w.");

    public void Dispose()
    {
        _scope.Dispose();
        _source.Dispose();
        _file.Dispose();
    }

    /// <summary>Lengths 160, 37 and 5, against the reference run on the padded batch with a mask.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Encode_GoldenPrompt_GivesTheReferenceRows(int sample)
    {
        using var encoder = Umt5Encoder.Load(_source, Shape, CPU, ScalarType.Float32);
        var ids = Ids(sample);

        var context = encoder.Module.Encode(ids);

        using var hidden = _file.Load("out.hidden");
        var expected = hidden[sample].narrow(0, 0, ids.Length);
        Assert.Equal([ids.Length, 64], context.shape);
        Assert.True(RelativeError(context, expected) < 1e-5);
    }

    [Fact]
    public void EncodeBatch_GoldenPrompts_GivesTheReferenceRowsAndZerosBehindThem()
    {
        using var encoder = Umt5Encoder.Load(_source, Shape, CPU, ScalarType.Float32);
        var prompts = Enumerable.Range(0, 3).Select(Ids).ToList();

        var context = encoder.Module.EncodeBatch([.. prompts]);

        using var hidden = _file.Load("out.hidden");
        Assert.Equal([3, 160, 64], context.shape);
        for (var i = 0; i < 3; i++)
        {
            var length = prompts[i].Length;
            Assert.True(RelativeError(context[i].narrow(0, 0, length), hidden[i].narrow(0, 0, length)) < 1e-5);
            Assert.Equal(0, context[i].narrow(0, length, 160 - length).abs().sum().item<float>());
        }
    }

    [Fact]
    public void Encode_TableInMemory_GivesTheSameAsTableInFile()
    {
        using var stored = Umt5Encoder.Load(_source, Shape, CPU, ScalarType.Float32);
        using var resident = LoadedWeights.Build(_source, CPU, ScalarType.Float32, weights => new Umt5Encoder(weights, Shape));

        Assert.Equal(stored.Module.Encode(Ids(1)).data<float>().ToArray(), resident.Module.Encode(Ids(1)).data<float>().ToArray());
        Assert.Equal(400 * 64 * sizeof(float), resident.Weights.Bytes - stored.Weights.Bytes);
    }

    /// <summary>
    /// bfloat16 products are off by 2⁻⁹ each; attention without 1/√d magnifies that in its exponent, most of all with random
    /// weights.
    /// </summary>
    [Fact]
    public void Encode_BFloat16_StaysNearFloat32()
    {
        using var exact = Umt5Encoder.Load(_source, Shape, CPU, ScalarType.Float32);
        using var half = Umt5Encoder.Load(_source, Shape, CPU, ScalarType.BFloat16);

        Assert.InRange(RelativeError(half.Module.Encode(Ids(0)), exact.Module.Encode(Ids(0))), 1e-6, 0.1);
    }

    [Fact]
    public void Encode_EveryLayer_IsObservedAndNothingIsLeftBehind()
    {
        using var encoder = Umt5Encoder.Load(_source, Shape, CPU, ScalarType.Float32);
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var seen = new List<(int, long)>();

        using (encoder.Module.Encode([5, 1], (index, x) => seen.Add((index, x.shape[0]))))
        {
            Assert.Equal([(0, 2L), (1, 2), (2, 2)], seen);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Encode_BadIds_SaysWhatIsWrong()
    {
        using var encoder = Umt5Encoder.Load(_source, Shape, CPU, ScalarType.Float32);

        Assert.Throws<ArgumentException>(() => encoder.Module.Encode([]));
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => encoder.Module.Encode([3, 400]));
        Assert.Contains("400 pieces", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OtherShape_NamesTheTensors()
    {
        var table = Assert.Throws<CheckpointException>(() =>
            Umt5Encoder.Load(_source, Shape with { Vocabulary = 500 }, CPU, ScalarType.Float32)
        );
        var layers = Assert.Throws<CheckpointException>(() =>
            Umt5Encoder.Load(_source, Shape with { Layers = 4 }, CPU, ScalarType.Float32)
        );

        Assert.Contains("token_embedding.weight", table.Message, StringComparison.Ordinal);
        Assert.Contains("blocks.3.norm1.weight", layers.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadRows_SomeRows_EqualsThoseOfTheWhole()
    {
        using var whole = _source.Load(Umt5Encoder.TableName);
        using var rows = _source.LoadRows(Umt5Encoder.TableName, [7, 0, 399, 7]);

        Assert.True(rows.equal(whole[tensor([7L, 0, 399, 7])]).all().item<bool>());
        Assert.Throws<ArgumentOutOfRangeException>(() => _source.LoadRows(Umt5Encoder.TableName, [400]));
    }

    private long[] Ids(int sample)
    {
        using var ids = _file.Load("in.ids");
        using var mask = _file.Load("in.mask");
        return ids[sample].narrow(0, 0, mask[sample].sum().item<long>()).data<long>().ToArray();
    }

    private static double RelativeError(Tensor actual, Tensor expected) => ((actual - expected).norm() / expected.norm()).item<float>();
}
