using System.Diagnostics;
using System.Globalization;

namespace RenderFarm.Worker.Tests.Farm;

/// <summary>Looks at processes from outside.</summary>
internal static class Processes
{
    /// <summary>Processes whose command line names a path under <paramref name="folder"/>; zombies don't count.</summary>
    public static IReadOnlyList<int> Under(string folder, string program = "")
    {
        List<int> found = [];
        foreach (var entry in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(entry), CultureInfo.InvariantCulture, out var id))
            {
                continue;
            }

            try
            {
                var command = File.ReadAllText(Path.Combine(entry, "cmdline"));
                if (command.Contains(folder, StringComparison.Ordinal) && command.Contains(program, StringComparison.Ordinal))
                {
                    found.Add(id);
                }
            }
            catch (IOException)
            {
                // It ended while being looked at
            }
        }

        return found;
    }

    /// <summary>
    /// The one among them that leads its process group: a shell that forks shows its own command line twice for a moment.
    /// </summary>
    public static int LeaderUnder(string folder) => Under(folder).Single(id => LeadsItsGroup(id));

    public static void Kill(int id) => Process.GetProcessById(id).Kill();

    /// <summary>Runs a program to its end.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await errors);
    }

    private static bool LeadsItsGroup(int id)
    {
        try
        {
            // After the name in brackets: state, parent, group
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[2] == id.ToString(CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return false; // It has ended
        }
    }
}
