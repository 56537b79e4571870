using RenderFarm.Inference.Gguf;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Testing;
using RenderFarm.Testing.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Tests.Gguf;

/// <summary>Every type to the last bit, and every way in which a header can lie.</summary>
public sealed class GgufFileTests : IDisposable
{
    private const uint Q8 = 8;
    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Types =>
        [
            "f32", "f16", "bf16", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "iq4_xs",
        ];

    [Theory]
    [MemberData(nameof(Types))]
    public void Load_EveryType_IsThePublishedDecodersToTheLastBit(string name)
    {
        using var scope = NewDisposeScope();
        using var file = GgufFile.Open(GoldenFiles.Path("gguf_types.gguf"));
        using var golden = SafetensorsFile.Open(GoldenFiles.Path("gguf_types.safetensors"));

        using var decoded = file.Load(name);
        using var expected = golden.Load("out." + name);

        Assert.Equal(expected.shape, decoded.shape);
        Assert.Equal(0, (decoded.to(ScalarType.Float32) - expected).abs().max().item<float>());
    }

    [Theory]
    [InlineData("q4_k")] // [2, 3, 256]
    [InlineData("q6_k")] // [3, 512]
    [InlineData("bf16")]
    public void LoadRows_SomeRows_AreThoseOfTheWhole(string name)
    {
        using var scope = NewDisposeScope();
        using var file = GgufFile.Open(GoldenFiles.Path("gguf_types.gguf"));
        using var whole = file.Load(name);

        using var rows = file.LoadRows(name, [1, 0, 1]);

        Assert.True(rows.equal(stack([whole[1], whole[0], whole[1]])).all().item<bool>());
        Assert.Throws<ArgumentOutOfRangeException>(() => file.LoadRows(name, [3]));
    }

    [Fact]
    public void Open_Golden_ReadsMetadataOfEveryKind()
    {
        using var file = GgufFile.Open(GoldenFiles.Path("gguf_types.gguf"));

        Assert.Equal(
            ["wan", "0.1", "-3"],
            new[] { "general.architecture", "test.double", "test.small" }.Select(key => file.Metadata[key])
        );
        Assert.Equal([0, 255, 7], file.Bytes("test.bytes")!);
        Assert.Equal(["", "ä", "three words here"], file.Texts("test.words"));
        Assert.Equal([1, 0], file.Numbers("test.flags"));
        Assert.Null(file.Texts("test.nothing"));
        Assert.Equal("Q4_K", file.Entries["q4_k"].StoredAs);
        Assert.Equal(6 * 144, file.Entries["q4_k"].Bytes);
    }

    public static TheoryData<string, string> Lies =>
        new()
        {
            { "version 1", "version" },
            { "big endian", "big-endian" },
            { "count", "number of tensors" },
            { "entries", "number of metadata entries" },
            { "text length", "cut short" },
            { "array count", "more than the file" },
            { "array of arrays", "array of arrays" },
            { "kind", "kind that is unknown" },
            { "entry twice", "given twice" },
            { "alignment of 3", "power of two" },
            { "alignment of 0", "power of two" },
            { "dimensions", "at most 8" },
            { "size", "beyond any memory" },
            { "product", "beyond any memory" },
            { "row", "no multiple of the 32 elements of a Q8_0 block" },
            { "offset", "cut short" },
            { "offset unaligned", "alignment" },
            { "overlap", "overlaps a" },
            { "tensor twice", "given twice" },
            { "removed type", "Q4_2, which was removed" },
            { "other type", "MXFP4" },
            { "unknown type", "type 77, which is unknown; read are F32" },
            { "not unicode", "not Unicode" },
        };

    [Theory]
    [MemberData(nameof(Lies))]
    public void Open_HeaderThatLies_IsRefusedInWordsAndTakesNoMemory(string lie, string reason)
    {
        var path = _folder.File("lie.gguf");
        File.WriteAllBytes(path, Lie(lie));
        var before = GC.GetAllocatedBytesForCurrentThread();

        var fault = Assert.Throws<CheckpointException>(() => GgufFile.Open(path));

        Assert.Contains(reason, fault.Message, StringComparison.Ordinal);
        Assert.Contains("lie.gguf", fault.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void Open_EveryLengthOfACutFile_IsRefusedOrWhole()
    {
        var whole = Good().Build();
        var path = _folder.File("cut.gguf");
        for (var length = 0; length < whole.Length - 32; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<CheckpointException>(() => GgufFile.Open(path));
        }
    }

    [Fact]
    public void Open_OtherAlignment_FindsTheData()
    {
        var writer = Good().With("general.alignment", 128);
        writer.Alignment = 128;
        File.WriteAllBytes(_folder.File("a.gguf"), writer.Build());

        using var file = GgufFile.Open(_folder.File("a.gguf"));
        using var last = file.Load("b");

        Assert.Equal([7, 7], last.data<float>().ToArray());
    }

    public void Dispose() => _folder.Dispose();

    private static GgufWriter Good() =>
        new GgufWriter()
            .With("general.architecture", "wan")
            .With("words", (string[])["a", "b"])
            .Tensor("a", [2, 64], Q8, new byte[4 * 34])
            .Tensor("b", [2], 0, [.. BitConverter.GetBytes(7f), .. BitConverter.GetBytes(7f)]);

    private static byte[] Lie(string what)
    {
        var good = Good();
        return what switch
        {
            "version 1" => new GgufWriter { Version = 1 }.Build(),
            "big endian" => new GgufWriter { Version = 0x03000000 }.Build(),
            "count" => new GgufWriter { TensorCount = ulong.MaxValue }.Build(),
            "entries" => Patched(good.Build(), 16, ulong.MaxValue / 2),
            "text length" => Patched(good.Build(), 24, ulong.MaxValue),
            "array count" => good.Array("numbers", 5, 1UL << 61, _ => { }).Build(),
            "array of arrays" => good.Array("nested", 9, 1, _ => { }).Build(),
            "kind" => good.Array("strange", 13, 1, _ => { }).Build(),
            "entry twice" => good.With("words", "again").Build(),
            "alignment of 3" => good.With("general.alignment", 3).Build(),
            "alignment of 0" => good.With("general.alignment", 0).Build(),
            "dimensions" => good.Tensor("c", [1, 1, 1, 1, 1, 1, 1, 1, 1], 0, new byte[4]).Build(),
            "size" => good.Tensor("c", [-1], 0, []).Build(),
            "product" => good.Tensor("c", [1L << 40, 1L << 40], 0, []).Build(),
            "row" => good.Tensor("c", [64, 33], Q8, new byte[4096]).Build(),
            "offset" => good.Build((_, _) => 1UL << 62),
            "offset unaligned" => good.Build((i, at) => i == 1 ? at + 4 : at),
            "overlap" => good.Build((i, at) => i == 1 ? 32 : at),
            "tensor twice" => good.Tensor("a", [2], 0, new byte[8]).Build(),
            "removed type" => good.Tensor("c", [32], 4, new byte[64]).Build(),
            "other type" => good.Tensor("c", [32], 39, new byte[64]).Build(),
            "unknown type" => good.Tensor("c", [32], 77, new byte[64]).Build(),
            _ => Patched(good.Build(), 32, 0xFFFEFDFCFBFAF9F8),
        };
    }

    private static byte[] Patched(byte[] file, int at, ulong value)
    {
        BitConverter.GetBytes(value).CopyTo(file, at);
        return file;
    }
}
