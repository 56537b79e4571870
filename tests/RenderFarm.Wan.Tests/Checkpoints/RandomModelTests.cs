using RenderFarm.Inference.Safetensors;
using RenderFarm.Planning.Models;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;
using RenderFarm.Wan.TextEncoder.SentencePiece;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Checkpoints;

public sealed class RandomModelTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Write_Tiny_CountsEveryByteItPromised()
    {
        long written = 0;
        RandomModel.Write(ModelShapes.Tiny, _folder.Path, seed: 0, bytes => written += bytes);

        Assert.Equal(RandomModel.TotalBytes(ModelShapes.Tiny), written);
    }

    [Fact]
    public void Write_Tiny_WeightsHaveRealisticScaleAndNoZeros()
    {
        RandomModel.Write(ModelShapes.Tiny, _folder.Path, seed: 0, _ => { });
        using var scope = NewDisposeScope();
        using var dit = SafetensorsFile.Open(_folder.File("diffusion_pytorch_model.safetensors"));

        Tensor Values(string name) => dit.Load(name).MoveToOtherDisposeScope(scope).to(ScalarType.Float32);
        Assert.Equal(1 / Math.Sqrt(64), Values("blocks.1.ffn.0.weight").std().item<float>(), 0.01);
        Assert.Equal(1, Values("blocks.1.self_attn.norm_q.weight").mean().item<float>(), 0.1);
        Assert.InRange(Values("blocks.0.modulation").abs().mean().item<float>(), 0.05, 0.2);
        Assert.All(dit.Entries.Keys, name => Assert.False(Values(name).eq(0).any().item<bool>(), name));
        Assert.All(dit.Entries.Values, entry => Assert.Equal("BF16", entry.Type.Name));
    }

    [Fact]
    public void Write_OtherSeed_OtherWeights()
    {
        var tensors = Layouts.TextEncoder(ModelShapes.Tiny.TextEncoder);
        var type = ElementType.Of(ScalarType.BFloat16);
        new RandomCheckpoint(1, _ => { }).Write(_folder.File("one.safetensors"), tensors, type);
        new RandomCheckpoint(2, _ => { }).Write(_folder.File("two.safetensors"), tensors, type);

        Assert.NotEqual(File.ReadAllBytes(_folder.File("one.safetensors")), File.ReadAllBytes(_folder.File("two.safetensors")));
    }

    [Fact]
    public void Write_MoreCores_SameBytes()
    {
        var tensors = Layouts.Transformer(ModelShapes.Tiny.Transformer);
        var type = ElementType.Of(ScalarType.BFloat16);
        var threads = get_num_threads();
        try
        {
            set_num_threads(1);
            new RandomCheckpoint(1, _ => { }).Write(_folder.File("one.safetensors"), tensors, type);
            set_num_threads(4);
            new RandomCheckpoint(1, _ => { }).Write(_folder.File("four.safetensors"), tensors, type);
            Assert.Equal(4, get_num_threads());
        }
        finally
        {
            set_num_threads(threads);
        }

        Assert.Equal(File.ReadAllBytes(_folder.File("one.safetensors")), File.ReadAllBytes(_folder.File("four.safetensors")));
    }

    [Fact]
    public void Write_SmallShards_SameTensorsInSeveralFilesWithAnIndex()
    {
        var tensors = Layouts.Transformer(ModelShapes.Tiny.Transformer);
        var type = ElementType.Of(ScalarType.BFloat16);
        var whole = new RandomCheckpoint(1, _ => { }).Write(_folder.File("whole.safetensors"), tensors, type);
        var shards = new RandomCheckpoint(1, _ => { }).Write(_folder.File("cut.safetensors"), tensors, type, shardBytes: 100_000);

        Assert.True(shards.Count > 2);
        Assert.EndsWith($"cut-00001-of-{shards.Count:00000}.safetensors", shards[0], StringComparison.Ordinal);
        using var scope = NewDisposeScope();
        using var one = CheckpointFiles.Open(whole);
        using var many = CheckpointFiles.Open(_folder.File("cut.safetensors.index.json"));
        Assert.Equal(one.Entries.Keys.Order(), many.Entries.Keys.Order());
        Assert.All(one.Entries.Keys, name => Assert.True(one.Load(name).equal(many.Load(name)).all().item<bool>(), name));
    }

    [Fact]
    public void Write_Tiny_TokenizerSpellsAnyPromptWithinTheVocabulary()
    {
        var manifest = RandomModel.Write(ModelShapes.Tiny, _folder.Path, seed: 0, _ => { });
        var tokenizer = SentencePieceTokenizer.Load(_folder.File(manifest.Files.Tokenizer));

        var ids = tokenizer.Encode("a red ball rolls, 色调艳丽 🎈");

        Assert.All(ids, id => Assert.InRange(id, 0, ModelShapes.Tiny.TextEncoder.Vocabulary - 1));
        Assert.Equal("a red ball rolls, 色调艳丽 🎈", tokenizer.Decode(ids));
    }

    public void Dispose() => _folder.Dispose();
}
