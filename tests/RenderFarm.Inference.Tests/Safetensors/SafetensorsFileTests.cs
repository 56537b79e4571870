using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.Safetensors;

public sealed class SafetensorsFileTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public static TheoryData<string> Types => [.. ElementType.All.Select(type => type.Name)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Load_EveryType_GivesTheBytesThatWereWritten(string typeName)
    {
        using var scope = NewDisposeScope();
        var type = ElementType.Named(typeName)!;
        var written = arange(-3, 21, dtype: ScalarType.Float32).view(2, 3, 4).to(type.ScalarType);
        var path = Write(("a", written), ("scalar", tensor(2.5f)), ("none", zeros(0, 4)));

        using var file = SafetensorsFile.Open(path);
        using var read = file.Load("a");
        using var scalar = file.Load("scalar");
        using var none = file.Load("none");

        Assert.Equal(type.ScalarType, read.dtype);
        Assert.Equal([2, 3, 4], read.shape);
        Assert.Equal(written.bytes.ToArray(), read.bytes.ToArray());
        Assert.Equal(written.bytes.ToArray(), file.Bytes("a").ToArray());
        Assert.Equal(2.5f, scalar.item<float>());
        Assert.Equal([0, 4], none.shape);
    }

    [Fact]
    public void Load_UnknownName_NamesFileAndTensor()
    {
        using var one = ones(2);
        using var file = SafetensorsFile.Open(Write(("a", one)));

        var fault = Assert.Throws<CheckpointException>(() => file.Load("b"));

        Assert.Equal("b", fault.Field);
    }

    [Fact]
    public void Load_AfterDispose_Throws()
    {
        using var one = ones(2);
        var file = SafetensorsFile.Open(Write(("a", one)));
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => file.Load("a"));
        Assert.Throws<ObjectDisposedException>(() => file.Bytes("a").ToArray());
    }

    [Fact]
    public void Complete_TensorNotWritten_SaysWhichAndLeavesNoFile()
    {
        var path = _scratch["half.safetensors"];
        using (var writer = new SafetensorsWriter(path, [new TensorEntry("a", ElementType.Of(ScalarType.Float32), [2])]))
        {
            Assert.Contains("'a'", Assert.Throws<InvalidOperationException>(writer.Complete).Message);
        }

        Assert.False(File.Exists(path));
        Assert.False(File.Exists(path + ".part"));
    }

    [Fact]
    public void Write_OtherShapeOrTwice_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var writer = new SafetensorsWriter(
            _scratch["x.safetensors"],
            [new TensorEntry("a", ElementType.Of(ScalarType.Float32), [2])]
        );

        Assert.Throws<ArgumentException>(() => writer.Write("a", ones(3)));
        Assert.Throws<ArgumentException>(() => writer.Write("a", ones(2, dtype: ScalarType.BFloat16)));
        Assert.Throws<ArgumentException>(() => writer.Write("b", ones(2)));
        writer.Write("a", ones(2));
        Assert.Throws<ArgumentException>(() => writer.Write("a", ones(2)));
    }

    [Fact]
    public void ShardedSource_TwoFiles_AreOne()
    {
        using var scope = NewDisposeScope();
        using var source = new ShardedSource([
            SafetensorsFile.Open(Write("1.safetensors", ("a", ones(2)))),
            SafetensorsFile.Open(Write("2.safetensors", ("b", zeros(3)))),
        ]);

        using var b = source.Load("b");

        Assert.Equal(["a", "b"], source.Entries.Keys.Order());
        Assert.Equal([3], b.shape);
    }

    [Fact]
    public void ShardedSource_TensorInTwoFiles_NamesBoth()
    {
        using var scope = NewDisposeScope();
        using var first = SafetensorsFile.Open(Write("1.safetensors", ("a", ones(2))));
        using var second = SafetensorsFile.Open(Write("2.safetensors", ("a", ones(2))));

        var fault = Assert.Throws<CheckpointException>(() => new ShardedSource([first, second]));

        Assert.Contains("1.safetensors", fault.Message);
        Assert.Contains("2.safetensors", fault.Message);
    }

    public void Dispose() => _scratch.Dispose();

    private string Write(params (string Name, Tensor Tensor)[] tensors) => Write("x.safetensors", tensors);

    private string Write(string file, params (string Name, Tensor Tensor)[] tensors)
    {
        var entries = tensors.Select(t => new TensorEntry(t.Name, ElementType.Of(t.Tensor.dtype), t.Tensor.shape));
        using var writer = new SafetensorsWriter(_scratch[file], entries);
        foreach (var (name, tensor) in tensors)
        {
            writer.Write(name, tensor);
        }

        writer.Complete();
        return _scratch[file];
    }
}
