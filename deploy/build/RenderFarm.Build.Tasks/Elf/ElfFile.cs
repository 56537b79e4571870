using System.Buffers.Binary;
using System.Text;

namespace RenderFarm.Build.Tasks.Elf;

/// <summary>
/// An ELF file of 64-bit x86 in memory. It knows the header and the section table; what is in a section is read by
/// <see cref="VersionNeed"/> and <see cref="ElfFunction"/>. Field names and offsets are those of the System V ABI.
/// </summary>
public sealed class ElfFile
{
    private const int HeaderSize = 64;
    private const int SectionHeaderSize = 64;
    private const byte Class64 = 2;
    private const byte LittleEndian = 1;
    private const ushort MachineX64 = 62;

    private static ReadOnlySpan<byte> Magic => [0x7F, (byte)'E', (byte)'L', (byte)'F'];

    private readonly byte[] _bytes;

    private ElfFile(byte[] bytes) => _bytes = bytes;

    public IReadOnlyList<ElfSection> Sections { get; private init; } = [];

    public ReadOnlySpan<byte> Bytes => _bytes;

    /// <param name="bytes">The whole file; changes are made in place.</param>
    /// <exception cref="ElfFormatException">It is no ELF file, one for another machine, or cut off.</exception>
    public static ElfFile Parse(byte[] bytes)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        if (bytes.Length < HeaderSize || !bytes.AsSpan().StartsWith(Magic))
        {
            throw new ElfFormatException("it is no ELF file");
        }
        // First what the numbers below depend on: their width and the order of their bytes.
        if (bytes[4] != Class64)
        {
            throw new ElfFormatException($"it is a 32-bit library (ELF class {bytes[4]}); only 64-bit ones can be mended");
        }
        if (bytes[5] != LittleEndian)
        {
            throw new ElfFormatException($"its numbers are big-endian (ELF data {bytes[5]}); only little-endian ones can be mended");
        }
        var header = new ElfFile(bytes);
        var machine = header.UInt16(18);
        if (machine != MachineX64)
        {
            throw new ElfFormatException($"it is built for {NameOf(machine)}; only libraries for x86-64 can be mended");
        }
        return new ElfFile(bytes) { Sections = [.. header.ReadSections()] };
    }

    public ushort UInt16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(at, 2));

    public uint UInt32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(at, 4));

    public long Int64(long at) => BinaryPrimitives.ReadInt64LittleEndian(Slice(at, 8));

    /// <summary>The text at a place in a string table, up to the zero that ends it.</summary>
    public string Text(ElfSection table, uint at)
    {
        var rest = Slice(table.Offset, table.Size);
        rest = rest[(int)Math.Min(at, (uint)rest.Length)..];
        var end = rest.IndexOf((byte)0);
        return end < 0 ? throw new ElfFormatException("a name in it has no end") : Encoding.ASCII.GetString(rest[..end]);
    }

    /// <summary>The string table that holds the names of a section.</summary>
    public ElfSection NamesOf(ElfSection section) =>
        section.Link >= 0 && section.Link < Sections.Count
            ? Sections[section.Link]
            : throw new ElfFormatException($"it is damaged: section {section.Link} is asked for, it has {Sections.Count}");

    public void Write(long at, byte value) => Slice(at, 1)[0] = value;

    private IEnumerable<ElfSection> ReadSections()
    {
        var table = Int64(40);
        var entrySize = UInt16(58);
        var count = UInt16(60);
        if (count > 0 && entrySize < SectionHeaderSize)
        {
            throw new ElfFormatException($"its section table has entries of {entrySize} bytes; {SectionHeaderSize} are needed");
        }
        for (var i = 0; i < count; i++)
        {
            var at = table + (long)i * entrySize;
            _ = Slice(at, entrySize);
            yield return new ElfSection(UInt32(at + 4), Int64(at + 16), Int64(at + 24), Int64(at + 32), (int)UInt32(at + 40));
        }
    }

    private Span<byte> Slice(long at, long length) =>
        at >= 0 && length >= 0 && at <= _bytes.Length - length
            ? _bytes.AsSpan((int)at, (int)length)
            : throw new ElfFormatException($"it is cut off or damaged: byte {at} is asked for, it has {_bytes.Length}");

    private static string NameOf(ushort machine) => machine switch
    {
        3 => "x86 (ELF machine 3)",
        40 => "ARM (ELF machine 40)",
        183 => "AArch64 (ELF machine 183)",
        243 => "RISC-V (ELF machine 243)",
        _ => $"another machine (ELF machine {machine})",
    };
}
