using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>
/// Pages of a mapped file, all of a range at once where each would otherwise be asked for by a fault of its own. Ranges of one file
/// may be taken by several threads at a time, which one allocation of the whole file may not.
/// </summary>
internal static partial class PageRanges
{
    private const int HugePages = 14;
    private const int PopulateRead = 22;
    private const int PopulateWrite = 23;
    private const int NoSpace = 28;
    private const int Interrupted = 4;
    private const int TryAgain = 11;
    private const int Unknown = 22;

    /// <summary>Large pages where the file system has them: fewer to fault in, and to page-lock.</summary>
    public static void PreferLarge(nint address, long bytes) => _ = Advise(address, (nuint)bytes, HugePages);

    /// <summary>A hint; bytes that can't be read say so when they are.</summary>
    public static void Fetch(nint address, long bytes)
    {
        var start = address / Environment.SystemPageSize * Environment.SystemPageSize;
        _ = Advise(start, (nuint)(address + (nint)bytes - start), PopulateRead);
    }

    /// <summary>Takes memory, or room on the disk, for a range that begins and ends with a page.</summary>
    /// <param name="file">Of the mapping, for kernels that know no other way.</param>
    /// <param name="offset">Of the range in the file.</param>
    /// <exception cref="IOException">There is no room: written to, the range would end the process without a word.</exception>
    public static void Take(nint address, long bytes, SafeFileHandle file, long offset)
    {
        while (Advise(address, (nuint)bytes, PopulateWrite) != 0)
        {
            switch (Marshal.GetLastPInvokeError())
            {
                case Interrupted or TryAgain:
                    continue;
                case Unknown when Allocate(file, offset, bytes) is var error: // Before Linux 5.14
                    if (error == 0)
                    {
                        return;
                    }

                    throw NoRoom(bytes);
                default:
                    throw NoRoom(bytes);
            }
        }
    }

    private static IOException NoRoom(long bytes) => new($"No space left on device: {bytes:N0} bytes were asked for", NoSpace);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int Advise(nint address, nuint length, int advice);

    /// <returns>The error; it is not left anywhere else.</returns>
    [LibraryImport("libc", EntryPoint = "posix_fallocate")]
    private static partial int Allocate(SafeFileHandle file, long offset, long length);
}
