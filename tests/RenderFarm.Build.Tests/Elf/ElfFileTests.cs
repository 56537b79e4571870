using System.Buffers.Binary;
using RenderFarm.Build.Tasks.Elf;

namespace RenderFarm.Build.Tests.Elf;

public sealed class ElfFileTests
{
    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0x7F, (byte)'E', (byte)'L', (byte)'F' })]
    public void Parse_NoElfFile_SaysSo(byte[] bytes) =>
        Assert.Equal("it is no ELF file", Assert.Throws<ElfFormatException>(() => ElfFile.Parse(bytes)).Message);

    [Fact]
    public void Parse_Text_SaysSo() =>
        Assert.Equal("it is no ELF file", Assert.Throws<ElfFormatException>(() => ElfFile.Parse(new byte[4096])).Message);

    [Theory]
    [InlineData(183, "it is built for AArch64 (ELF machine 183); only libraries for x86-64 can be mended")]
    [InlineData(3, "it is built for x86 (ELF machine 3); only libraries for x86-64 can be mended")]
    [InlineData(258, "it is built for another machine (ELF machine 258); only libraries for x86-64 can be mended")]
    public void Parse_OtherMachine_NamesIt(ushort machine, string message)
    {
        var bytes = Header();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(18), machine);

        Assert.Equal(message, Assert.Throws<ElfFormatException>(() => ElfFile.Parse(bytes)).Message);
    }

    [Fact]
    public void Parse_32BitLibrary_SaysSo()
    {
        var bytes = Header();
        bytes[4] = 1;

        Assert.Contains("32-bit", Assert.Throws<ElfFormatException>(() => ElfFile.Parse(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_BigEndianLibrary_SaysSo()
    {
        var bytes = Header();
        bytes[5] = 2;

        Assert.Contains("big-endian", Assert.Throws<ElfFormatException>(() => ElfFile.Parse(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SectionTableBeyondTheEnd_SaysWhere()
    {
        var bytes = Header();
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(40), 1_000);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(58), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(60), 1);

        Assert.Equal(
            "it is cut off or damaged: byte 1000 is asked for, it has 64",
            Assert.Throws<ElfFormatException>(() => ElfFile.Parse(bytes)).Message);
    }

    [Fact]
    public async Task Parse_LibraryCutOffAnywhere_IsRefused()
    {
        using var library = await SharedLibrary.CompileAsync();
        var whole = await File.ReadAllBytesAsync(library.Caller, TestContext.Current.CancellationToken);

        for (var length = 0; length < whole.Length; length += 97)
        {
            var cut = whole[..length];
            Assert.Throws<ElfFormatException>(() => VersionNeed.Of(ElfFile.Parse(cut)));
        }
    }

    [Fact]
    public async Task VersionNeeds_OfACompiledLibrary_AreThoseItWasLinkedWith()
    {
        using var library = await SharedLibrary.CompileAsync();

        var needs = VersionNeed.Of(ElfFile.Parse(await File.ReadAllBytesAsync(library.Caller, TestContext.Current.CancellationToken)));

        var need = Assert.Single(needs, need => need.Library == "libprovider.so");
        Assert.Equal(SharedLibrary.Version, need.Version);
        Assert.False(need.IsWeak);
    }

    [Fact]
    public async Task Functions_OfACompiledLibrary_AreItsOwnOnly()
    {
        using var library = await SharedLibrary.CompileAsync();

        var functions = ElfFunction.Of(ElfFile.Parse(await File.ReadAllBytesAsync(library.Caller, TestContext.Current.CancellationToken)));

        Assert.Superset(
            new HashSet<string> { "caller_dispose", "caller_disposed", "caller_never" },
            functions.Select(function => function.Name).ToHashSet());
        Assert.DoesNotContain(functions, function => function.Name == "provider_marker");
    }

    /// <summary>The header of a library for x86-64 without a section.</summary>
    private static byte[] Header()
    {
        var bytes = new byte[64];
        byte[] start = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        start.CopyTo(bytes, 0);
        bytes[18] = 62;
        return bytes;
    }
}
