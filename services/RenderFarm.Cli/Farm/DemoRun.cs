using System.Diagnostics;
using System.Globalization;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Cli.Farm;

/// <summary>The private home of one demo. The last few that failed are kept, for their logs.</summary>
internal static class DemoRun
{
    private const int Kept = 5;

    /// <exception cref="FarmException">No folder can be made under the home.</exception>
    public static FarmHome Create(FarmHome home, TimeProvider time)
    {
        try
        {
            var runs = Directory.CreateDirectory(home.Demos);
            // Names begin with the time: the order of names is the order of age.
            foreach (
                var old in runs.EnumerateDirectories()
                    .OrderByDescending(run => run.Name, StringComparer.Ordinal)
                    .Skip(Kept)
                    .Where(run => !IsLive(run.Name))
            )
            {
                Remove(old);
            }

            return new FarmHome(Path.Combine(runs.FullName, $"{time.GetUtcNow():yyyyMMdd-HHmmss}-{Environment.ProcessId}")).Create();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw HomeFolders.NotWritable(home.Root, error);
        }
    }

    /// <summary>Names end in the process that runs there.</summary>
    private static bool IsLive(string name)
    {
        if (!int.TryParse(name.AsSpan(name.LastIndexOf('-') + 1), CultureInfo.InvariantCulture, out var id))
        {
            return false;
        }

        try
        {
            using var process = Process.GetProcessById(id);
            return true;
        }
        catch (ArgumentException)
        {
            return false; // No such process
        }
    }

    private static void Remove(DirectoryInfo run)
    {
        try
        {
            run.Delete(recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Another demo was quicker
        }
    }
}
