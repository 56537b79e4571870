using System.Globalization;

namespace RenderFarm.Wan.TextEncoder.Cleaning;

/// <summary>Tables of characters that are built into this assembly as text.</summary>
internal static class UnicodeTable
{
    /// <summary>Lines of a table without its comments.</summary>
    public static IEnumerable<string> Lines(string name)
    {
        using var stream =
            typeof(UnicodeTable).Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The table '{name}' is not built into {typeof(UnicodeTable).Assembly.GetName().Name}.");
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
            {
                yield return line;
            }
        }
    }

    public static int Code(ReadOnlySpan<char> hex) => int.Parse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary><c>41+300</c></summary>
    public static int[] Codes(string sum) => Array.ConvertAll(sum.Split('+'), code => Code(code));
}
