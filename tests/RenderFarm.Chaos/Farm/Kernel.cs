using System.Runtime.InteropServices;

namespace RenderFarm.Chaos.Farm;

/// <summary>Signals, and looking after orphans.</summary>
internal static partial class Kernel
{
    public const int Kill = 9;
    public const int Continue = 18;
    public const int Stop = 19;
    private const int SetChildSubreaper = 36;
    private const int NoHang = 1;

    /// <summary>
    /// Orphans of killed processes become children of this one, whatever process 1 is here. A killed server is reaped by
    /// <see cref="ReapAsync"/> then: to PostgreSQL even a zombie still owns its data directory.
    /// </summary>
    public static void AdoptOrphans()
    {
        if (prctl(SetChildSubreaper, 1, 0, 0, 0) != 0)
        {
            throw new InvalidOperationException($"PR_SET_CHILD_SUBREAPER: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>False when there is no such process.</summary>
    public static bool Signal(int process, int signal) => kill(process, signal) == 0;

    /// <summary>Waits for the end of an adopted process; one that is nobody's child here is waited for by looking.</summary>
    public static async Task ReapAsync(int process, CancellationToken cancellationToken)
    {
        while (waitpid(process, out _, NoHang) == 0 || kill(process, 0) == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, cancellationToken);
        }
    }

    /// <summary>Buries an adopted process that has ended; leaves one that has not.</summary>
    public static void Bury(int process) => _ = waitpid(process, out _, NoHang);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, ulong a, ulong b, ulong c, ulong d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int process, int signal);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitpid(int process, out int status, int options);
}
