namespace RenderFarm.Contracts.Words;

/// <summary>What somebody probably meant: the known name with the fewest edits.</summary>
public static class NearestName
{
    private const int LongestCompared = 64;

    /// <returns>Null when nothing is near: more than half of the letters would have to change.</returns>
    public static string? To(string name, IEnumerable<string> known) =>
        Best(name, known) is var (best, edits) && edits <= Math.Max(2, best.Length / 2) ? best : null;

    /// <returns>Null when nothing is so near.</returns>
    public static string? Within(int edits, string name, IEnumerable<string> known) =>
        Best(name, known) is var (best, needed) && needed <= edits ? best : null;

    private static (string Name, int Edits)? Best(string name, IEnumerable<string> known) =>
        known.Select(candidate => ((string, int)?)(candidate, Edits(name, candidate)))
            .OrderBy(candidate => candidate!.Value.Item2).ThenBy(candidate => candidate!.Value.Item1, StringComparer.Ordinal)
            .FirstOrDefault();

    /// <summary>Levenshtein distance whatever the case, one row at a time; names are cut so that a hostile key costs nothing.</summary>
    private static int Edits(string a, string b)
    {
        a = (a.Length > LongestCompared ? a[..LongestCompared] : a).ToUpperInvariant();
        b = b.ToUpperInvariant();
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitution = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitution, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
