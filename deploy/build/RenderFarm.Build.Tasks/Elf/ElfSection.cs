namespace RenderFarm.Build.Tasks.Elf;

/// <summary>One line of the section table: where the section lies in memory and in the file, and which section holds its names.</summary>
public readonly record struct ElfSection(uint Type, long Address, long Offset, long Size, int Link)
{
    /// <summary>The symbols that the dynamic loader sees (SHT_DYNSYM).</summary>
    public const uint DynamicSymbols = 11;

    /// <summary>The versions asked of other libraries (SHT_GNU_verneed).</summary>
    public const uint VersionNeeds = 0x6FFFFFFE;
}
