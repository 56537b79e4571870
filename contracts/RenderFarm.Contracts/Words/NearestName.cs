namespace RenderFarm.Contracts.Words;

/// <summary>What somebody probably meant: the known name with the fewest edits.</summary>
public static class NearestName
{
    /// <returns>Null when nothing is near: more than half of the letters would have to change.</returns>
    public static string? To(string name, IEnumerable<string> known)
    {
        var best = known
            .Select(candidate => (Name: candidate, Edits: Edits(name, candidate)))
            .OrderBy(c => c.Edits)
            .ThenBy(c => c.Name, StringComparer.Ordinal)
            .FirstOrDefault();
        return best.Name is not null && best.Edits <= Math.Max(2, best.Name.Length / 2) ? best.Name : null;
    }

    /// <summary>Levenshtein distance, one row at a time; names are cut so that a hostile key costs nothing.</summary>
    private static int Edits(string a, string b)
    {
        a = a.Length > 64 ? a[..64] : a;
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
