using System.Globalization;

namespace RenderFarm.Chaos.Farm;

/// <summary>One line of <c>/proc</c>.</summary>
internal sealed record RunningProcess(int Id, int Parent, char State, string Program);

/// <summary>Who runs, and whose child it is.</summary>
internal static class ProcessTable
{
    public static IReadOnlyList<RunningProcess> All()
    {
        var found = new List<RunningProcess>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && Read(id) is { } process
            )
            {
                found.Add(process);
            }
        }

        return found;
    }

    /// <summary>Everything that descends from a process, itself not included.</summary>
    public static IReadOnlyList<RunningProcess> Below(int root)
    {
        var children = All().ToLookup(process => process.Parent);
        var below = new List<RunningProcess>();
        var open = new Stack<int>([root]);
        while (open.TryPop(out var parent))
        {
            foreach (var child in children[parent])
            {
                below.Add(child);
                open.Push(child.Id);
            }
        }

        return below;
    }

    /// <summary>Encoders and renderers of killed workers end as children of this process.</summary>
    public static async Task BuryAsync(CancellationToken cancellationToken)
    {
        HashSet<int> before = [];
        while (!cancellationToken.IsCancellationRequested)
        {
            // What is still a zombie at the second look is nobody's whose end the runtime here waits for
            var zombies = All()
                .Where(process => process.State == 'Z' && process.Parent == Environment.ProcessId)
                .Select(process => process.Id)
                .ToHashSet();
            foreach (var zombie in zombies.Where(before.Contains))
            {
                Kernel.Bury(zombie);
            }

            before = zombies;
            await Task.Delay(TimeSpan.FromSeconds(5), TimeProvider.System, cancellationToken).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    // /proc/ID/stat: id (name) state parent …; the name may hold anything, so count from the last parenthesis
    private static RunningProcess? Read(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var rest = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return new RunningProcess(
                id,
                int.Parse(rest[1], CultureInfo.InvariantCulture),
                rest[0][0],
                stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..stat.LastIndexOf(')')]
            );
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null; // It has just ended
        }
    }
}
