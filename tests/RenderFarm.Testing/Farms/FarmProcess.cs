using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace RenderFarm.Testing.Farms;

/// <summary>One program of a farm under test, in a session of its own, its output in a file.</summary>
public sealed class FarmProcess : IAsyncDisposable
{
    private const int Terminate = 15;
    private const int Kill = 9;
    private const int Stop = 19;
    private const int Continue = 18;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(30);
    private readonly Process _process;

    private FarmProcess(string name, string log, Process process) => (Name, Log, _process) = (name, log, process);

    public string Name { get; }
    public string Log { get; }
    public int Id => _process.Id;
    public bool HasExited => _process.HasExited;
    public int ExitCode => _process.ExitCode;

    /// <summary>What a program needs of its environment on any machine; nothing in it is a secret.</summary>
    private static readonly string[] Common = ["PATH", "HOME", "TMPDIR", "LANG", "TZ", "DOTNET_ROOT", "LD_LIBRARY_PATH"];

    /// <param name="name">In what is told of it.</param>
    /// <param name="program">Its file.</param>
    /// <param name="arguments">What follows.</param>
    /// <param name="settings">Environment variables on top of this process's own, without the servers that the tests are given.</param>
    /// <param name="log">Where it writes.</param>
    /// <param name="alone">As on another machine: with little of this process's environment below them.</param>
    public static FarmProcess Start(
        string name,
        string program,
        IEnumerable<string> arguments,
        IReadOnlyDictionary<string, string> settings,
        string log,
        bool alone = false
    )
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            ArgumentList = { "-c", "exec setsid \"$@\" >> \"$FARM_LOG\" 2>&1 < /dev/null", "sh", program },
            WorkingDirectory = Path.GetDirectoryName(program),
        };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        foreach (var variable in alone ? start.Environment.Keys.Except(Common).ToList() : [])
        {
            start.Environment.Remove(variable);
        }

        foreach (var ours in start.Environment.Keys.Where(key => key.StartsWith("RENDERFARM_TEST_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(ours);
        }

        foreach (var (key, value) in settings)
        {
            start.Environment[key] = value;
        }

        start.Environment["FARM_LOG"] = log;
        return new FarmProcess(name, log, Process.Start(start)!);
    }

    public string LastWords(int lines = 40) =>
        File.Exists(Log)
            ? $"--- {Name} ({(HasExited ? $"exit code {ExitCode}" : "running")}), end of "
                + $"{Log}:{Environment.NewLine}{string.Join(Environment.NewLine, File.ReadLines(Log).TakeLast(lines))}"
            : $"--- {Name}: no log";

    /// <summary>SIGTERM, as an operator's stop: resolves with the exit code.</summary>
    public async Task<int> StopAsync()
    {
        Signal(Id, Terminate);
        await _process.WaitForExitAsync().WaitAsync(Grace);
        return ExitCode;
    }

    /// <summary>SIGKILL to this process alone; what it had started lives on, as after a crash.</summary>
    public async Task KillAsync()
    {
        Signal(Id, Kill);
        await _process.WaitForExitAsync().WaitAsync(Grace);
    }

    /// <summary>SIGSTOP to this process alone: alive, and not heard of until <see cref="Thaw"/>.</summary>
    public void Freeze() => Signal(Id, Stop);

    public void Thaw() => Signal(Id, Continue);

    public Task<int> ExitAsync(TimeSpan within) =>
        _process.WaitForExitAsync().WaitAsync(within).ContinueWith(_ => ExitCode, TaskScheduler.Default);

    /// <summary>Processes that this one started and that still run, by the name of their program.</summary>
    public IReadOnlyList<int> Children(string program)
    {
        var found = new List<int>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) || ParentOf(id) != Id)
            {
                continue;
            }

            var command = Read(Path.Combine(folder, "cmdline"));
            if (command.Split('\0')[0].EndsWith(program, StringComparison.Ordinal))
            {
                found.Add(id);
            }
        }
        return found;
    }

    public static bool IsRunning(int id) => StateOf(id) is not (null or 'Z');

    public static void KillHard(int id) => Signal(id, Kill);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        _process.Dispose();
    }

    private static void Signal(int id, int signal)
    {
        if (SendSignal(id, signal) != 0 && IsRunning(id))
        {
            throw new InvalidOperationException($"signal {signal} to process {id}: errno {Marshal.GetLastPInvokeError()}");
        }
    }

    // /proc/ID/stat: id (name) state parent …; the name may hold anything, so count from the last parenthesis
    private static string[] StatOf(int id) =>
        Read($"/proc/{id}/stat") is { Length: > 0 } stat ? stat[(stat.LastIndexOf(')') + 2)..].Split(' ') : [];

    private static char? StateOf(int id) => StatOf(id) is [var state, ..] ? state[0] : null;

    private static int? ParentOf(int id) => StatOf(id) is [_, var parent, ..] ? int.Parse(parent, CultureInfo.InvariantCulture) : null;

    private static string Read(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return ""; // It has just ended
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int id, int signal);
}
