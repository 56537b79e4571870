using System.Diagnostics;
using System.Runtime.InteropServices;

namespace RenderFarm.Cli.Farm;

/// <summary>
/// A program of the farm that this one started. It is in a session of its own, so that a Ctrl-C at the terminal reaches
/// only this process, which then stops its children in order; its output goes to a file of its own, so that the last
/// words survive even when this process does not.
/// </summary>
internal sealed class ChildProgram : IDisposable
{
    private const int Terminate = 15;
    private readonly Process _process;

    private ChildProgram(string name, string log, Process process) => (Name, Log, _process) = (name, log, process);

    public string Name { get; }
    public string Log { get; }
    public int ProcessId => _process.Id;
    public bool HasExited => _process.HasExited;
    public int ExitCode => _process.ExitCode;

    /// <param name="environment">On top of this process's own.</param>
    /// <param name="hidden">How variables of this process begin that are no business of the program's.</param>
    public static ChildProgram Start(
        string name,
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string> environment,
        string log,
        params string[] hidden
    )
    {
        // Exec twice: the process started here becomes the program, so its pid and its exit code are the program's.
        var start = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", "umask 077; exec setsid \"$@\" >> \"$FARM_LOG\" 2>&1 < /dev/null", "sh", program },
            // Settings files lie beside the program and are looked for in the working folder.
            WorkingDirectory = Path.GetDirectoryName(program),
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var other in start.Environment.Keys.Where(IsHidden).ToList())
        {
            start.Environment.Remove(other);
        }

        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        start.Environment["FARM_LOG"] = log;
        var process = Process.Start(start) ?? throw new FarmException("start_failed", $"could not start {program}");
        return new ChildProgram(name, log, process);

        bool IsHidden(string variable) => hidden.Any(start => variable.StartsWith(start, StringComparison.Ordinal));
    }

    public Task WaitForExitAsync(CancellationToken cancellationToken) => _process.WaitForExitAsync(cancellationToken);

    /// <summary>Asks it to stop; what is still there after <paramref name="grace"/> is killed with all it started.</summary>
    public async Task StopAsync(TimeSpan grace, TimeProvider time)
    {
        if (_process.HasExited)
        {
            return;
        }

        _ = Signal(_process.Id, Terminate);
        using var deadline = new CancellationTokenSource(grace, time);
        try
        {
            await _process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
    }

    /// <summary>The last lines it wrote.</summary>
    public IReadOnlyList<string> LastWords(int lines = 15) => File.Exists(Log) ? File.ReadLines(Log).TakeLast(lines).ToArray() : [];

    public FarmException Death(string when) =>
        new(
            "process_died",
            $"{Name} {when} with exit code {ExitCode}. It said last:{Environment.NewLine}{string.Join(Environment.NewLine, LastWords())}"
        )
        {
            Log = Log,
        };

    public void Dispose() => _process.Dispose();

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Signal(int processId, int signal);
}
