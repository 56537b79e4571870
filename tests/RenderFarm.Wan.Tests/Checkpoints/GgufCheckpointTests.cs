using System.Runtime.InteropServices;
using RenderFarm.Contracts.Models;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Testing;
using RenderFarm.Testing.Checkpoints;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using RenderFarm.Wan.Transformer;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Checkpoints;

/// <summary>GGUF files as converters leave them: folded shapes, names of llama.cpp, a tokenizer inside.</summary>
public sealed class GgufCheckpointTests : IDisposable
{
    private static readonly TransformerShape Golden = new()
    {
        Dim = 256,
        FfnDim = 256,
        Heads = 2,
        Layers = 2,
        InChannels = 16,
        OutChannels = 16,
        TextDim = 48,
        TextLength = 16,
        FrequencyDim = 32,
    };

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData(8, 3, 1, 2, 2)]
    [InlineData(24, 1, 2, 2)] // dim and in multiplied, as stable-diffusion.cpp writes it
    [InlineData(8, 12)]
    public void Open_PatchEmbeddingInAnyNumberOfDimensions_HasFive(params int[] stored)
    {
        using var scope = NewDisposeScope();
        var values = Enumerable.Range(0, 96).Select(number => (float)number).ToArray();
        Write(
            new GgufWriter()
                .Tensor("patch_embedding.weight", [.. stored.Select(size => (long)size)], 0, Bytes(values))
                .Tensor("patch_embedding.bias", [8], 0, Bytes(new float[8]))
        );

        using var source = GgufCheckpoint.Open(_folder.File("a.gguf"));
        using var weight = source.Load("patch_embedding.weight");

        Assert.Equal([8, 3, 1, 2, 2], source.Entries["patch_embedding.weight"].Shape);
        Assert.Equal([8, 3, 1, 2, 2], weight.shape);
        Assert.Equal(values, weight.data<float>().ToArray());
    }

    [Fact]
    public void Open_ShapeThatIsToldBesideTheTensor_IsTheShape()
    {
        Write(
            new GgufWriter().With("comfy.gguf.orig_shape.x.weight", (int[])[2, 3, 4]).Tensor("x.weight", [6, 4], 0, Bytes(new float[24]))
        );

        using var source = GgufCheckpoint.Open(_folder.File("a.gguf"));

        Assert.Equal([2, 3, 4], source.Entries["x.weight"].Shape);
    }

    [Theory]
    [InlineData(2, 3, 5)]
    [InlineData(2, -12)]
    [InlineData(int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue)]
    public void Open_ToldShapeOfOtherNumbers_IsRefused(params int[] told)
    {
        Write(new GgufWriter().With("comfy.gguf.orig_shape.x.weight", told).Tensor("x.weight", [6, 4], 0, Bytes(new float[24])));

        var fault = Assert.Throws<CheckpointException>(() => GgufCheckpoint.Open(_folder.File("a.gguf")));

        Assert.Equal("comfy.gguf.orig_shape.x.weight", fault.Field);
    }

    [Fact]
    public void Open_ModulationWithoutItsLeadingOne_HasItAgain()
    {
        Write(new GgufWriter().Tensor("model.diffusion_model.blocks.0.modulation", [6, 4], 0, Bytes(new float[24])));

        using var source = GgufCheckpoint.Open(_folder.File("a.gguf"));

        Assert.Equal([1, 6, 4], Assert.Single(source.Entries.Values).Shape);
    }

    [Fact]
    public void Describe_Golden_SaysTypesAndWhatIsMissing()
    {
        using var source = CheckpointFiles.Open(GoldenFiles.Path("gguf_dit_t2v.gguf"));

        var description = CheckpointRecognition.Describe(source);

        Assert.Equal(CheckpointKind.Transformer, description.Kind);
        Assert.Equal("GGUF Q4_K (and Q6_K, Q3_K, Q8_0)", description.Quantization);
        Assert.Equal("dim 256, ffn 256, 2 layers, 16 → 16 channels", description.What.Split(": ")[1]);
        Assert.Empty(description.Missing);
        Assert.InRange(description.BitsAWeight, 4, 9);
        Assert.Equal(13, description.Types["Q4_K"]);
    }

    [Fact]
    public void Describe_UnfinishedConversion_NamesThePatchEmbedding()
    {
        using var golden = CheckpointFiles.Open(GoldenFiles.Path("gguf_dit_t2v.gguf"));
        var writer = new GgufWriter().With("general.architecture", "wan");
        foreach (var entry in golden.Entries.Values.Where(entry => entry.Name != "patch_embedding.weight"))
        {
            writer.Tensor(entry.Name, entry.Shape, 0, new byte[entry.Elements * 4]);
        }

        Write(writer);

        using var source = CheckpointFiles.Open(_folder.File("a.gguf"));
        Assert.Contains("patch_embedding.weight", CheckpointRecognition.Describe(source).Missing);
    }

    [Theory]
    [InlineData(WeightFormat.BFloat16)]
    [InlineData(WeightFormat.Float8)]
    [InlineData(WeightFormat.Int8)]
    public void Prepare_BlockOfPackedWeights_IsThatOfTheDecodedOnes(WeightFormat format)
    {
        using var scope = NewDisposeScope();
        using var source = OriginalSource.Of(CheckpointFiles.Open(GoldenFiles.Path("gguf_dit_t2v.gguf")), CheckpointKind.Transformer);
        var loaded = source.Entries.Keys.ToDictionary(name => name, source.Load);
        scope.Attach(loaded.Values);
        using var decoded = new MemorySource(loaded);
        var layout = BlockLayout.Of(weights => new WanBlock(weights, Golden), format);

        Assert.Equal(Prepared(layout, decoded), Prepared(layout, source));
    }

    [Fact]
    public void Of_TokenizerOfTheGolden_IsAModelOfAllItsPieces()
    {
        using var source = CheckpointFiles.Open(GoldenFiles.Path("gguf_umt5.gguf"));

        var model = SentencePieceModelReader.Read(InnerTokenizer.Of(source)!, "inside");

        Assert.Equal((336, 1, 0), (model.Pieces.Count, model.EndId, model.PadId));
        Assert.Equal(PieceType.Unused, model.Pieces[335].Type);
        Assert.False(model.CharsMap.IsEmpty);
    }

    [Theory]
    [InlineData("scores")]
    [InlineData("token_type")]
    public void Of_TokenizerWithNumbersForSomeTokensOnly_IsRefused(string lacks)
    {
        var writer = new GgufWriter()
            .With("tokenizer.ggml.model", "t5")
            .With("tokenizer.ggml.tokens", (string[])["<unk>", "a"])
            .Tensor("x", [1], 0, new byte[4]);
        writer.With("tokenizer.ggml.scores", lacks == "scores" ? (float[])[0] : [0, 0]);
        writer.With("tokenizer.ggml.token_type", lacks == "scores" ? (int[])[2, 1] : [2]);
        Write(writer);
        using var source = CheckpointFiles.Open(_folder.File("a.gguf"));

        Assert.Equal("tokenizer.ggml." + lacks, Assert.Throws<CheckpointException>(() => InnerTokenizer.Of(source)).Field);
    }

    public void Dispose() => _folder.Dispose();

    private void Write(GgufWriter writer) => File.WriteAllBytes(_folder.File("a.gguf"), writer.Build());

    private static byte[] Bytes(float[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    private static byte[] Prepared(BlockLayout layout, ITensorSource source)
    {
        var bytes = new byte[layout.Bytes];
        var pinned = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        try
        {
            BlockPreparer.Prepare(layout, source, "blocks.1.", pinned.AddrOfPinnedObject());
        }
        finally
        {
            pinned.Free();
        }

        return bytes;
    }
}
