using System.Runtime.InteropServices;

namespace RenderFarm.Hosting.Folders;

/// <summary>
/// Makes a rename survive a power cut. A rename is an entry in the folder: without syncing the folder a machine can
/// come back with the file's blocks on disk and no name for them.
/// </summary>
public static partial class DurableFile
{
    private const int ReadOnlyDirectory = 0x10000 | 0x80000; // O_DIRECTORY | O_CLOEXEC (x86-64)
    private const int InvalidArgument = 22;

    /// <summary>Renames over whatever is there and syncs the folder. The content must have been flushed to disk already.</summary>
    public static void Publish(string temporary, string path)
    {
        File.Move(temporary, path, overwrite: true);
        SyncFolder(Path.GetDirectoryName(path)!);
    }

    public static void SyncFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        var handle = Open(folder, ReadOnlyDirectory);
        if (handle < 0)
        {
            throw new IOException($"can't open folder {folder} to sync it: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        try
        {
            // Some network file systems can't sync a folder (EINVAL) and write renames through anyway
            if (Sync(handle) != 0 && Marshal.GetLastPInvokeError() != InvalidArgument)
            {
                throw new IOException($"can't sync folder {folder}: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }
        finally
        {
            _ = Close(handle);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Sync(int handle);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int handle);
}
