namespace RenderFarm.Build.Tasks.Elf;

/// <summary>A function that a library offers.</summary>
/// <param name="CodeAt">Where its first instruction lies in the file.</param>
public sealed record ElfFunction(string Name, long CodeAt)
{
    private const int SymbolSize = 24;
    private const int FunctionType = 2; // STT_FUNC
    private const uint EndBranch = 0xFA1E0FF3; // endbr64: where indirect calls may land, under control-flow enforcement
    private const byte Return = 0xC3;

    public static IReadOnlyList<ElfFunction> Of(ElfFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var functions = new List<ElfFunction>();
        foreach (var section in file.Sections.Where(section => section.Type == ElfSection.DynamicSymbols))
        {
            var names = file.NamesOf(section);
            for (var at = section.Offset; at < section.Offset + section.Size; at += SymbolSize)
            {
                var home = file.UInt16(at + 6);
                // Section 0: asked of another library; beyond the table: a number without a place.
                if (home == 0 || home >= file.Sections.Count || (file.UInt16(at + 4) & 0xF) != FunctionType)
                {
                    continue;
                }
                var code = file.Sections[home];
                functions.Add(new ElfFunction(file.Text(names, file.UInt32(at)), file.Int64(at + 8) - code.Address + code.Offset));
            }
        }
        return functions;
    }

    /// <summary>From now on the function returns at once and does nothing.</summary>
    public void ReturnAtOnce(ElfFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        file.Write(file.UInt32(CodeAt) == EndBranch ? CodeAt + sizeof(uint) : CodeAt, Return);
    }
}
