namespace RenderFarm.Build.Tasks.Elf;

/// <summary>A version that a library asks another one for, such as GLIBCXX_3.4.30 of libstdc++.so.6.</summary>
/// <param name="Library">The other library.</param>
/// <param name="FlagsAt">Where its flags lie in the file.</param>
public sealed record VersionNeed(string Library, string Version, bool IsWeak, long FlagsAt)
{
    /// <summary>The loader goes on where the other library lacks the version (VER_FLG_WEAK).</summary>
    private const byte Weak = 2;

    public static IReadOnlyList<VersionNeed> Of(ElfFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var needs = new List<VersionNeed>();
        foreach (var section in file.Sections.Where(section => section.Type == ElfSection.VersionNeeds))
        {
            var names = file.NamesOf(section);
            // Two linked lists, one in the other: libraries, and the versions asked of each. Links are distances; 0 ends a list.
            var library = section.Offset;
            for (uint next = 1; next != 0; library += next)
            {
                next = file.UInt32(library + 12);
                var version = library + file.UInt32(library + 8);
                for (var left = file.UInt16(library + 2); left > 0; left--)
                {
                    needs.Add(new VersionNeed(
                        file.Text(names, file.UInt32(library + 4)),
                        file.Text(names, file.UInt32(version + 8)),
                        (file.UInt16(version + 4) & Weak) != 0,
                        version + 4));
                    version += file.UInt32(version + 12);
                }
            }
        }
        return needs;
    }

    public void Weaken(ElfFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        file.Write(FlagsAt, (byte)(file.UInt16(FlagsAt) | Weak));
    }
}
