using System.Runtime.InteropServices;
using RenderFarm.Cli.Farm;

namespace RenderFarm.Cli.Errands;

/// <summary>
/// Makes this process another program: same pid, same terminal, so that Ctrl-C and SIGTERM reach whoever does the work, and
/// its exit code is the verb's.
/// </summary>
internal static partial class Launcher
{
    private const int BrokenPipe = 13;
    private const string RootVariable = "RENDERFARM_ROOT";

    /// <returns>Never, unless it fails.</returns>
    /// <exception cref="FarmException">This is no checkout and the program is not installed, or it can't be started.</exception>
    public static int Run(IReadOnlyList<string> words)
    {
        if (InstalledProgram(words, AppContext.BaseDirectory) is var (program, arguments))
        {
            throw new FarmException("start_failed", $"could not start {program}: {Become(program, [program, .. arguments])}");
        }

        var root = Environment.GetEnvironmentVariable(RootVariable);
        var script = Path.Combine(root ?? "", "deploy", "scripts", "errand.sh");
        if (string.IsNullOrEmpty(root) || !File.Exists(script))
        {
            throw new FarmException(
                "not_a_checkout",
                $"this verb is run by ./farm of a checkout ({RootVariable} names none), and its program is not among those installed: "
                    + "start it there"
            );
        }
        var fault = Become("/bin/bash", ["bash", script, .. SecretWords.Pass(words)]);
        throw new FarmException("start_failed", $"could not start {script}: {fault}");
    }

    /// <summary>An installed farm needs nothing built: the program is there, or it is one for developers.</summary>
    internal static (string Program, IReadOnlyList<string> Arguments)? InstalledProgram(IReadOnlyList<string> words, string baseDirectory)
    {
        var line = words.SkipWhile(word => word != "--").Skip(1).ToList();
        return line is [var project, .. var arguments]
            && FarmPrograms.Installed(baseDirectory, Path.GetFileName(project)) is { } program
            ? (program, arguments)
            : null;
    }

    /// <returns>Why it failed; else never.</returns>
    internal static string Become(string program, IReadOnlyList<string> words)
    {
        Console.Out.Flush();
        // The runtime ignores SIGPIPE, and what is ignored stays so in the next program.
        _ = Signal(BrokenPipe, 0);
        _ = Execute(program, [.. words, null]);
        return Marshal.GetLastPInvokeErrorMessage();
    }

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Execute(string program, string?[] arguments);

    [LibraryImport("libc", EntryPoint = "signal", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Signal(int signal, nint handler);
}
