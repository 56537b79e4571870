using System.Buffers.Binary;
using System.Text;
using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Inference.Tests.Safetensors;

/// <summary>Each fault that a header can have is refused, with the file and the field in the message.</summary>
public sealed class SafetensorsHeaderTests : IDisposable
{
    private readonly Scratch _scratch = new();

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 4, "a", "cut short")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "data", "4 bytes after a belong to no tensor")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 8, "a", "'-8'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "a", "run backwards")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", 8, "a", "need 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "a", "data_offsets has 1 numbers")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""",
        12,
        "b",
        "overlaps a"
    )]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}""",
        16,
        "b",
        "hole of 4 bytes after a"
    )]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "a", "hole of 4 bytes after the start")]
    [InlineData("""{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}""", 8, "a", "dtype 'F4'")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,8]}}""", 8, "a", "no dtype")]
    [InlineData("""{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "a", "no shape")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", 8, "a", "no data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "a", "'-2'")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", 8, "a", "'2.5'")]
    [InlineData("""{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", 8, "a", "shape holds")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,8]}}""", 8, "a", "beyond any memory")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", 8, "a", "whole numbers")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        8,
        "a",
        "given twice"
    )]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "a", "'dtype' twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":1}}""", 8, "a", "'extra'")]
    [InlineData("""{"a":[1]}""", 0, "a", "not a JSON object")]
    [InlineData("""{"__metadata__":{"k":1}}""", 0, "__metadata__", "'k' is not a string")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"}}""", 0, "__metadata__", "'k' is given twice")]
    [InlineData("""[1,2]""", 0, "header", "not a JSON object")]
    [InlineData("""{"a":""", 0, "header", "not JSON")]
    public void Open_FaultyHeader_NamesFileAndField(string json, int dataBytes, string field, string reason)
    {
        var path = File("faulty.safetensors", json, dataBytes);

        var fault = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));

        Assert.Equal(path, fault.File);
        Assert.Equal(field, fault.Field);
        Assert.Contains(reason, fault.Message);
        Assert.StartsWith($"{path}: {field}:", fault.Message);
    }

    [Theory]
    [InlineData(new byte[] { }, "0 bytes")]
    [InlineData(new byte[] { 1, 2, 3 }, "3 bytes")]
    [InlineData(new byte[] { 200, 0, 0, 0, 0, 0, 0, 0, 123 }, "cut short")]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 123 }, "is this a safetensors file?")]
    public void Open_NotAHeader_SaysWhatIsThere(byte[] bytes, string reason)
    {
        var path = _scratch["short.safetensors"];
        System.IO.File.WriteAllBytes(path, bytes);

        var fault = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(path));

        Assert.Equal("header", fault.Field);
        Assert.Contains(reason, fault.Message);
    }

    [Fact]
    public void Open_NoSuchFile_SaysSo()
    {
        var fault = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_scratch["absent.safetensors"]));

        Assert.Contains("does not exist", fault.Message);
    }

    [Fact]
    public void Open_NoTensors_IsAnEmptySource()
    {
        using var file = SafetensorsFile.Open(File("empty.safetensors", """{"__metadata__":{"k":"v"}}""", 0));

        Assert.Empty(file.Entries);
        Assert.Equal("v", file.Metadata["k"]);
    }

    public void Dispose() => _scratch.Dispose();

    private string File(string name, string json, int dataBytes)
    {
        var header = Encoding.UTF8.GetBytes(json);
        var bytes = new byte[8 + header.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, header.Length);
        header.CopyTo(bytes, 8);
        System.IO.File.WriteAllBytes(_scratch[name], bytes);
        return _scratch[name];
    }
}
