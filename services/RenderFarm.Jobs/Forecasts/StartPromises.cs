namespace RenderFarm.Jobs.Forecasts;

/// <summary>
/// When jobs begin that are about to join: told before they are there, for a job may be leased before anybody could be asked. What the
/// farm is held to (<c>renderfarm.lease.promises</c>).
/// </summary>
/// <param name="lines">By model, and nobody else's.</param>
/// <param name="age">Seconds since a line was as it says.</param>
internal sealed class StartPromises(IReadOnlyDictionary<string, QueueLine> lines, Func<QueueLine, double> age)
{
    /// <summary>The job joins, and those that are asked for later see it before them.</summary>
    /// <returns>Seconds until it begins; null where nobody takes it.</returns>
    public double? Join(string model, int vramClass, double orderKey, double estimated)
    {
        var line = lines[model];
        var start = line.StartAfter(line.Ahead(orderKey), vramClass);
        line.Join(orderKey, estimated);
        return start is var (seconds, _) ? Math.Max(0, seconds - age(line)) : null;
    }
}
