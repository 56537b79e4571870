using System.Text;
using RenderFarm.Cuda.Aten;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.BlockStreaming;

/// <summary>What of a checkpoint's eight bits a prepared block keeps, and how its products then run.</summary>
public sealed class PreparedEightBitsTests
{
    private const string Weight = "blocks.0.self_attn.q.weight";
    private const string Scale = "blocks.0.self_attn.q.scale_weight";
    private const int Out = 16;
    private const int In = 24;

    [Theory]
    [InlineData(WeightFormat.Float8Stored)]
    [InlineData(WeightFormat.Int8Stored)]
    [InlineData(WeightFormat.Int8)]
    public void Prepare_TheFilesOwnEightBits_KeepTheirBytesAndScales(WeightFormat format)
    {
        using var scope = NewDisposeScope();
        var type = EightBits.TypeOf(format)!.Value;
        manual_seed(1);
        var (values, scales) = EightBits.QuantizeRows(randn(Out, In), type);
        using var source = new MemorySource(
            new Dictionary<string, Tensor>
            {
                [Weight] = values,
                [Scale] = scales.squeeze(1),
                ["blocks.0.self_attn.q.bias"] = zeros(Out),
            }
        );

        using var block = new Block(format, source);

        Same(values, block.Stored(StoredPart.EightBitWeight, type));
        Same(scales, block.Stored(StoredPart.EightBitScales, ScalarType.Float32));
    }

    [Theory]
    [InlineData(WeightFormat.Int8Stored)]
    [InlineData(WeightFormat.Int8)]
    [InlineData(WeightFormat.Float8)]
    public void Prepare_OtherBits_AreRoundedOnceToThoseOfTheFormat(WeightFormat format)
    {
        using var scope = NewDisposeScope();
        var type = EightBits.TypeOf(format)!.Value;
        manual_seed(2);
        var weight = randn(Out, In).to(ScalarType.BFloat16);
        using var source = Of(weight);

        using var block = new Block(format, source);

        var (values, scales) = EightBits.QuantizeRows(weight, type);
        Same(values, block.Stored(StoredPart.EightBitWeight, type));
        Same(scales, block.Stored(StoredPart.EightBitScales, ScalarType.Float32));
    }

    [Theory]
    [InlineData(WeightFormat.BFloat16, ScalarType.BFloat16)]
    [InlineData(WeightFormat.BFloat16, ScalarType.Float16)]
    [InlineData(WeightFormat.Int8, ScalarType.BFloat16)]
    [InlineData(WeightFormat.Float8, ScalarType.BFloat16)]
    [InlineData(WeightFormat.Float8, ScalarType.Float32)]
    [InlineData(WeightFormat.Float8, ScalarType.Float16)]
    public void Prepare_WeightsOfAMappedFile_AreTheSameBytesAsLoadedOnes(WeightFormat format, ScalarType stored)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        manual_seed(4);
        var tensors = new Dictionary<string, Tensor>
        {
            [Weight] = randn(Out, In).to(stored),
            ["blocks.0.self_attn.q.bias"] = randn(Out).to(stored),
        };
        var path = folder.File("one.safetensors");
        using (var writer = new SafetensorsWriter(path, tensors.Select(t => new TensorEntry(t.Key, ElementType.Of(stored), t.Value.shape))))
        {
            foreach (var (name, values) in tensors)
            {
                writer.Write(name, values);
            }

            writer.Complete();
        }

        using var file = SafetensorsFile.Open(path);
        using var memory = new MemorySource(tensors);
        using var mapped = new Block(format, file);
        using var loaded = new Block(format, memory);
        Assert.NotNull(file.AddressOf(Weight));
        Assert.Null(((ITensorSource)memory).AddressOf(Weight));
        Assert.Equal(loaded.Bytes, mapped.Bytes);
        Assert.Contains(mapped.Bytes, one => one != 0);
    }

    [Fact]
    public void Prepare_WholeNumbersWithoutScale_IsRefusedByName()
    {
        using var scope = NewDisposeScope();
        using var source = Of(ones([Out, In], dtype: Int8.Type));
        var error = Assert.Throws<CheckpointException>(() => new Block(WeightFormat.Int8Stored, source));
        Assert.Contains(Weight, error.Message, StringComparison.Ordinal);
        Assert.Contains("scale", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Linear_Int8_MultipliesInInt8UnlessTheFileWantsFullPrecision()
    {
        using var scope = NewDisposeScope();
        using var source = Of(randn(Out, In));
        using var asStored = new Block(WeightFormat.Int8, source);
        using var castUp = new Block(WeightFormat.Int8, source, castUp: ["self_attn.q.weight"]);
        using var castUpElsewhere = new Block(WeightFormat.Int8, source, castUp: ["self_attn.k.weight"]);

        Assert.IsType<Int8Linear>(asStored.Product());
        Assert.IsType<CastUpLinear>(castUp.Product());
        Assert.IsType<Int8Linear>(castUpElsewhere.Product());
    }

    [Theory]
    [InlineData(WeightFormat.Int8Stored, 0.012)]
    [InlineData(WeightFormat.Int8, 0.02)]
    [InlineData(WeightFormat.Float8Stored, 0.04)]
    public void Linear_EightBits_IsAsNearAsTheyRound(WeightFormat format, double most)
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        var weight = randn(Out, In).to(ScalarType.BFloat16);
        var x = randn(1, 7, In).to(ScalarType.BFloat16);
        using var source = Of(weight);
        using var block = new Block(format, source);

        var y = block.Product().Apply(x).to(ScalarType.Float32);

        var exact = nn.functional.linear(x.to(ScalarType.Float32), weight.to(ScalarType.Float32));
        Assert.InRange(((y - exact).norm() / exact.norm()).item<float>(), 1e-4, most);
    }

    [Theory]
    [InlineData("marker")]
    [InlineData("header")]
    [InlineData("old")]
    public void InFullPrecision_EachWayOfSayingSo_NamesTheWeightAsTheOriginalHasIt(string way)
    {
        using var scope = NewDisposeScope();
        const string Asked = """{"format": "float8_e4m3fn", "full_precision_matrix_mult": true}""";
        const string Not = """{"format": "float8_e4m3fn"}""";
        static Tensor Text(string json) => tensor(Encoding.UTF8.GetBytes(json));
        var tensors = Layouts
            .Transformer(Planning.Models.TinyShapes.ImageToVideo.Transformer)
            .ToDictionary(t => "model.diffusion_model." + t.Name, t => zeros([.. t.Shape]));
        Dictionary<string, string> metadata = [];
        switch (way)
        {
            case "marker":
                tensors["model.diffusion_model.blocks.0.self_attn.q.comfy_quant"] = Text(Asked);
                tensors["model.diffusion_model.blocks.0.self_attn.k.comfy_quant"] = Text(Not);
                break;
            case "header":
                metadata["_quantization_metadata"] =
                    $$"""{"layers": {"blocks.0.self_attn.q": {{Asked}}, "blocks.0.self_attn.k": {{Not}} } }""";
                break;
            default:
                tensors["model.diffusion_model.scaled_fp8"] = zeros(2);
                tensors["model.diffusion_model.blocks.0.self_attn.q.scale_weight"] = ones(1);
                break;
        }

        using var source = OriginalSource.Of(new WithMetadata(new MemorySource(tensors), metadata), CheckpointKind.Transformer);

        Assert.Equal(Weight, Assert.Single(source.InFullPrecision));
    }

    [Fact]
    public void InFullPrecision_NothingAsked_IsEmpty()
    {
        using var scope = NewDisposeScope();
        var tensors = Layouts
            .Transformer(Planning.Models.TinyShapes.ImageToVideo.Transformer)
            .ToDictionary(t => t.Name, t => zeros([.. t.Shape]));
        tensors["scaled_fp8"] = zeros(1);
        tensors["blocks.0.self_attn.q.scale_weight"] = ones(1);
        using var source = OriginalSource.Of(new MemorySource(tensors), CheckpointKind.Transformer);
        Assert.Empty(source.InFullPrecision);
    }

    private static void Same(Tensor expected, Tensor actual) =>
        Assert.True(actual.to(ScalarType.Float32).equal(expected.to(ScalarType.Float32)).all().item<bool>());

    private static MemorySource Of(Tensor weight) =>
        new(new Dictionary<string, Tensor> { [Weight] = weight, ["blocks.0.self_attn.q.bias"] = zeros(Out) });

    private sealed class WithMetadata(ITensorSource source, IReadOnlyDictionary<string, string> metadata) : ITensorSource
    {
        public string Name => source.Name;

        public IReadOnlyDictionary<string, TensorEntry> Entries => source.Entries;

        public IReadOnlyDictionary<string, string> Metadata => metadata;

        public Tensor Load(string name) => source.Load(name);

        public void Dispose() => source.Dispose();
    }

    /// <summary>A block of one product, prepared in memory.</summary>
    private sealed class Block : IDisposable
    {
        private readonly BlockLayout _layout;
        private readonly Tensor _memory;
        private readonly List<LaidOutWeights> _weights = [];

        public Block(WeightFormat format, ITensorSource source, HashSet<string>? castUp = null)
        {
            _layout = BlockLayout.Of(weights => weights.Scope("self_attn").Linear("q", In, Out), format, castUp);
            _memory = zeros([_layout.Bytes], dtype: ScalarType.Byte).DetachFromDisposeScope();
            BlockPreparer.Prepare(_layout, source, "blocks.0.", AtenOps.DataPointer(_memory));
        }

        public byte[] Bytes => [.. _memory.data<byte>()];

        public Tensor Stored(StoredPart part, ScalarType type)
        {
            var stored = _layout.Find("self_attn.q.weight", part);
            return AtenOps.FromMemory(AtenOps.DataPointer(_memory) + (nint)stored.Offset, [.. stored.Shape], type, CPU);
        }

        public Linear Product()
        {
            _weights.Add(new LaidOutWeights(_layout, _memory, ops: null));
            return _weights[^1].Scope("self_attn").Linear("q", In, Out);
        }

        public void Dispose()
        {
            _weights.ForEach(weights => weights.Dispose());
            _memory.Dispose();
        }
    }
}
