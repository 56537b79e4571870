using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace RenderFarm.Worker.Children;

/// <summary>
/// A child in its own session and process group, so that Ctrl-C in a terminal does not reach it and one signal ends it
/// with everything it started. It gets the environment it is given and nothing else.
/// </summary>
internal sealed partial class ChildProcess : IDisposable
{
    private const int Kill = 9;
    private const uint Exiting = 0x4; // PF_EXITING: its memory may be gone while its state still reads as running
    private static readonly TimeSpan LastWordsTime = TimeSpan.FromSeconds(1);
    private readonly Process _process;
    private bool _disposed;

    private ChildProcess(Process process)
    {
        _process = process;
        Id = process.Id;
        Errors = OutputTail.Of(process.StandardError);
        Exited = WaitAsync();
    }

    /// <summary>Also the id of its process group.</summary>
    public int Id { get; }

    public StreamReader Output => _process.StandardOutput;
    public StreamWriter Input => _process.StandardInput;

    /// <summary>The end of what it wrote to standard error.</summary>
    public OutputTail Errors { get; }

    /// <summary>The exit code; 128 + n when signal n ended it. By then <see cref="Errors"/> has its last words. Never fails.</summary>
    public Task<int> Exited { get; }

    /// <summary>As the kernel has it now; <see cref="Exited"/> learns of an end a moment later.</summary>
    public bool IsAlive
    {
        get
        {
            if (Exited.IsCompleted)
            {
                return false;
            }

            try
            {
                var stat = File.ReadAllText($"/proc/{Id}/stat");
                var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
                return fields[0] is not ("Z" or "X") && (uint.Parse(fields[6], CultureInfo.InvariantCulture) & Exiting) == 0;
            }
            catch (IOException)
            {
                return false;
            }
        }
    }

    /// <param name="oomScore">0 to 1000: how early the kernel picks this child when host memory runs out.</param>
    /// <exception cref="FileNotFoundException">There is no such program.</exception>
    public static ChildProcess Start(
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string> environment,
        string folder,
        int oomScore = 0
    )
    {
        var path = ProgramPath.Find(program) ?? throw new FileNotFoundException($"there is no program '{program}'", program);

        // setsid(1) replaces itself with the program, so the process id stays and becomes the group's
        var start = new ProcessStartInfo("setsid")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = folder,
        };
        if (path.EndsWith(".dll", StringComparison.Ordinal))
        {
            start.ArgumentList.Add("dotnet");
        }

        start.ArgumentList.Add(path);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        foreach ((var name, var value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start) ?? throw new InvalidOperationException($"'{program}' did not start");
        var child = new ChildProcess(process);
        if (oomScore > 0)
        {
            child.VolunteerForOutOfMemory(oomScore);
        }

        return child;
    }

    /// <summary>Ends the whole group at once. Harmless when it is gone.</summary>
    public void KillGroup()
    {
        if (_disposed || Id <= 1)
        {
            return;
        }
        // Between fork and setsid there is no group of this id yet
        if (Signal(-Id, Kill) != 0 && !Exited.IsCompleted)
        {
            _ = Signal(Id, Kill);
        }
    }

    /// <summary>Kills what is left of it and frees the handles.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        KillGroup();
        _disposed = true;
        _process.Dispose();
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        var code = _process.ExitCode;
        // Its last words may still be in the pipe, which somebody that it had started may hold open
        await Task.WhenAny(Errors.Ended, Task.Delay(LastWordsTime));
        return code;
    }

    private void VolunteerForOutOfMemory(int score)
    {
        try
        {
            File.WriteAllText(
                string.Create(CultureInfo.InvariantCulture, $"/proc/{Id}/oom_score_adj"),
                score.ToString(CultureInfo.InvariantCulture)
            );
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // It has ended already, or /proc is not writable here: the kernel then chooses by size, which is the renderer anyway
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int process, int signal);
}
