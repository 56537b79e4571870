using System.Runtime.InteropServices;
using System.Text;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Testing;
using RenderFarm.Wan.Checkpoints;

namespace RenderFarm.Wan.Tests.Checkpoints;

public sealed class PthFileTests : IDisposable
{
    private static readonly byte[] SixFloats = MemoryMarshal.AsBytes<float>([0, 1, 2, 3, 4, 5]).ToArray();

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("renderfarm-test-");

    private string Path => System.IO.Path.Combine(_folder.FullName, "x.pth");

    [Fact]
    public void Load_FileWrittenByTorch_EqualsTheSafetensorsOfTheSameWeights()
    {
        using var pth = PthFile.Open(GoldenFiles.Path("umt5_weights.pth"));
        using var golden = SafetensorsFile.Open(GoldenFiles.Path("umt5.safetensors"));
        using var expected = new PrefixedSource(golden, "w.");

        Assert.Equal(expected.Entries.Keys.Order(), pth.Entries.Keys.Order());
        Assert.All(
            expected.Entries.Keys,
            name =>
            {
                using var a = pth.Load(name);
                using var b = expected.Load(name);
                Assert.Equal(b.dtype, a.dtype);
                Assert.Equal(b.shape, a.shape);
                Assert.True(a.bytes.SequenceEqual(b.bytes));
            }
        );
    }

    [Theory]
    [InlineData(0, new byte[] { 2, 3 }, new byte[] { 3, 1 }, new float[] { 0, 1, 2, 3, 4, 5 })]
    [InlineData(0, new byte[] { 3, 2 }, new byte[] { 1, 3 }, new float[] { 0, 3, 1, 4, 2, 5 })]
    [InlineData(2, new byte[] { 2 }, new byte[] { 2 }, new float[] { 2, 4 })]
    [InlineData(5, new byte[] { }, new byte[] { }, new float[] { 5 })]
    public void Load_View_FollowsOffsetAndStrides(byte offset, byte[] shape, byte[] strides, float[] expected)
    {
        PthArchive.Write(Path, PthArchive.OneTensor(offset: offset, shape: shape, strides: strides), ("0", SixFloats));

        using var file = PthFile.Open(Path);
        using var tensor = file.Load("w");

        Assert.Equal(expected, tensor.data<float>().ToArray());
    }

    [Theory]
    [InlineData("cos\nsystem\n(X\u0002\0\0\0lstR.", "the name 'os.system'")]
    [InlineData("cbuiltins\neval\n.", "the name 'builtins.eval'")]
    [InlineData("ctorch._utils\n_rebuild_device_tensor_from_numpy\n.", "_rebuild_device_tensor_from_numpy")]
    [InlineData("ios\nsystem\n.", "opcode 0x69")] // INST
    [InlineData("(o.", "opcode 0x6f")] // OBJ
    [InlineData("R", "damaged")]
    [InlineData("}", "damaged")]
    [InlineData("h\u0007.", "damaged")]
    [InlineData("].", "does not hold a dictionary")]
    [InlineData("}(Q.", "damaged")]
    [InlineData(")ctorch\nFloatStorage\nR.", "damaged")]
    [InlineData("ctorch\nFloatStorage\n)R.", "a call")]
    [InlineData("ccollections\nOrderedDict\n(K\u0001tR.", "a call")]
    [InlineData("ctorch\nFloatStorage\n}b.", "state for an object")]
    public void Open_PickleWithAnythingElse_IsRefused(string pickle, string reason)
    {
        PthArchive.Write(Path, Encoding.Latin1.GetBytes(pickle));

        var fault = Assert.Throws<CheckpointException>(() => PthFile.Open(Path));

        Assert.Equal("pickle", fault.Field);
        Assert.Contains(reason, fault.Message);
        Assert.StartsWith(Path, fault.Message);
    }

    [Theory]
    [InlineData(1, new byte[] { 2, 3 }, new byte[] { 3, 1 })]
    [InlineData(0, new byte[] { 2, 4 }, new byte[] { 3, 1 })]
    [InlineData(0, new byte[] { 2 }, new byte[] { 3, 1 })]
    [InlineData(200, new byte[] { 1 }, new byte[] { 1 })]
    public void Open_ViewBeyondItsStorage_IsRefused(byte offset, byte[] shape, byte[] strides)
    {
        PthArchive.Write(Path, PthArchive.OneTensor(offset: offset, shape: shape, strides: strides), ("0", SixFloats));

        var fault = Assert.Throws<CheckpointException>(() => PthFile.Open(Path));

        Assert.Equal("w", fault.Field);
        Assert.Contains("lead out of its 6 elements", fault.Message);
    }

    [Fact]
    public void Open_DataMissingShortOrOfAnotherByteOrder_SaysWhich()
    {
        PthArchive.Write(Path, PthArchive.OneTensor());
        Assert.Contains("'data/0' is not in the archive", Fault());

        PthArchive.Write(Path, PthArchive.OneTensor(), ("0", SixFloats[..20]));
        Assert.Contains("has 20 bytes instead of 24", Fault());

        PthArchive.Write(Path, PthArchive.OneTensor(), "big", ("0", SixFloats));
        Assert.Contains("little-endian", Fault());

        File.WriteAllText(Path, "not a zip");
        Assert.Contains("not a whole zip archive", Fault());

        Assert.Contains("does not exist", Fault());
    }

    [Fact]
    public void Open_ShardsByTheirIndex_AreOneSourceOrNameWhatIsAbsent()
    {
        Shard("1.safetensors", "a");
        Shard("2.safetensors", "b");
        var index = System.IO.Path.Combine(_folder.FullName, "model.safetensors.index.json");

        File.WriteAllText(index, """{"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}""");
        using (var source = CheckpointFiles.Open(index))
        {
            Assert.Equal(["a", "b"], source.Entries.Keys.Order());
        }

        File.WriteAllText(index, """{"weight_map":{"a":"1.safetensors","c":"2.safetensors"}}""");
        Assert.Equal("c", Assert.Throws<CheckpointException>(() => CheckpointFiles.Open(index)).Field);

        File.WriteAllText(index, """{"weight_map":{"a":"../1.safetensors"}}""");
        Assert.Contains("not a file of the same folder", Assert.Throws<CheckpointException>(() => CheckpointFiles.Open(index)).Message);

        File.WriteAllText(index, "{}");
        Assert.Equal("weight_map", Assert.Throws<CheckpointException>(() => CheckpointFiles.Open(index)).Field);

        Assert.Contains("'.bin' is not read", Assert.Throws<CheckpointException>(() => CheckpointFiles.Open("x.bin")).Message);
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private string Fault()
    {
        var message = Assert.Throws<CheckpointException>(() => PthFile.Open(Path)).Message;
        File.Delete(Path);
        return message;
    }

    private void Shard(string file, string name)
    {
        using var writer = new SafetensorsWriter(
            System.IO.Path.Combine(_folder.FullName, file),
            [new TensorEntry(name, ElementType.Named("U8")!, [1])]
        );
        writer.Write(name, [1]);
        writer.Complete();
    }
}
