namespace RenderFarm.Cli.Farm;

/// <summary>The private home of one demo. The last few that failed are kept, for their logs.</summary>
public static class DemoRun
{
    private const int Kept = 5;

    public static FarmHome Create(FarmHome home, TimeProvider time)
    {
        var runs = Directory.CreateDirectory(Path.Combine(home.Root, "demo"));
        // Names begin with the time: the order of names is the order of age. A live run is never among the oldest.
        foreach (var old in runs.EnumerateDirectories().OrderByDescending(run => run.Name, StringComparer.Ordinal).Skip(Kept))
            old.Delete(recursive: true);
        return new FarmHome(Path.Combine(runs.FullName, $"{time.GetUtcNow():yyyyMMdd-HHmmss}-{Environment.ProcessId}"));
    }
}
