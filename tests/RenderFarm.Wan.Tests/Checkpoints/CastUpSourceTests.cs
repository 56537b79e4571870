using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Tests.Checkpoints;

public sealed class CastUpSourceTests
{
    private const string Table = "token_embedding.weight";
    private const int Rows = 40;
    private static readonly long[] Asked = [7, 0, 39, 7];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Rows)]
    public void LoadRows_EightBitTable_AreThoseOfTheWholeAndTheTableStaysUnread(int scales)
    {
        using var scope = NewDisposeScope();
        using var stored = new Stored(scales);
        using var source = new CastUpSource(stored);
        var whole = source.Load(Table);
        stored.Read.Clear();

        var rows = source.LoadRows(Table, Asked);

        Assert.True(rows.equal(whole.index_select(0, tensor(Asked))).all().item<bool>());
        Assert.Equal(ScalarType.Float32, rows.dtype);
        Assert.DoesNotContain(Table, stored.Read);
    }

    /// <summary>A table of tokens in e4m3, with as many scales as asked for.</summary>
    private sealed class Stored(int scales) : ITensorSource
    {
        private const string Scale = "token_embedding.scale_weight";

        public List<string> Read { get; } = [];

        public string Name => "a table in fp8";

        public IReadOnlyDictionary<string, TensorEntry> Entries { get; } =
            new[] { (Table, Type: Float8.Type, Shape: new long[] { Rows, 8 }), (Scale, ScalarType.Float32, [scales]) }
                .Where(entry => entry.Shape[0] > 0)
                .ToDictionary(entry => entry.Item1, entry => new TensorEntry(entry.Item1, ElementType.Of(entry.Type), entry.Shape));

        public Tensor Load(string name)
        {
            Read.Add(name);
            return Values(name);
        }

        public Tensor LoadRows(string name, IReadOnlyList<long> rows)
        {
            using var whole = Values(name);
            return stack([.. rows.Select(row => whole[row])], 0).DetachFromDisposeScope();
        }

        public void Dispose() { }

        private static Tensor Generated(long count) => (arange(count, dtype: ScalarType.Float32) * 0.37).sin();

        private Tensor Values(string name)
        {
            using var values = name == Table ? Generated(Rows * 8).view(Rows, 8).to(Float8.Type) : Generated(scales) + 2;
            return values.alias().DetachFromDisposeScope();
        }
    }
}
