using System.Runtime.InteropServices;

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
    /// <exception cref="FarmException">This is no checkout, or the script can't be started.</exception>
    public static int Run(IReadOnlyList<string> words)
    {
        var root = Environment.GetEnvironmentVariable(RootVariable);
        var script = Path.Combine(root ?? "", "deploy", "scripts", "errand.sh");
        if (string.IsNullOrEmpty(root) || !File.Exists(script))
        {
            throw new FarmException(
                "not_a_checkout",
                $"this verb is run by ./farm of a checkout ({RootVariable} names none): start it there"
            );
        }
        var fault = Become("/bin/bash", ["bash", script, .. SecretWords.Pass(words)]);
        throw new FarmException("start_failed", $"could not start {script}: {fault}");
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
