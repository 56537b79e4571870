using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace RenderFarm.Hosting.Folders;

/// <summary>
/// What a farm keeps is its user's alone: prompts, pictures, keys and the secrets of webhooks lie in it. Folders are 0700, files
/// 0600; what is left open from before is closed at the next start.
/// </summary>
public static class PrivateFiles
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    /// <summary>
    /// Whatever this process and those it starts make from now on is nobody else's, wherever it lies and whoever's code makes it (the
    /// database's own files, a renderer's scratch).
    /// </summary>
    public static void ByDefault()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = Umask((uint)Others);
        }
    }

    /// <summary>For a file that is nobody else's, in a process whose other files are as its user has them.</summary>
    public static FileStreamOptions Options(FileMode mode, FileAccess access, FileShare share)
    {
        var options = new FileStreamOptions
        {
            Mode = mode,
            Access = access,
            Share = share,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }

    /// <summary>
    /// A small file that is nobody else's, whole or not at all, and on the disk when this returns. One process writes it; what a
    /// killed one had begun is begun anew.
    /// </summary>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var unfinished = path + ".tmp";
        File.Delete(unfinished);
        using (var file = new FileStream(unfinished, Options(FileMode.CreateNew, FileAccess.Write, FileShare.None)))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }

        DurableFile.Publish(unfinished, path);
    }

    /// <summary>Closes a home to others, with all that is in it but models: these are no secret, and often lie somewhere else.</summary>
    /// <returns>What could not be closed, with the reason; it stays as it is.</returns>
    public static IReadOnlyList<string> Close(FarmHome home)
    {
        ArgumentNullException.ThrowIfNull(home);
        var open = new List<string>();
        if (OperatingSystem.IsWindows() || !Directory.Exists(home.Root))
        {
            return open;
        }

        if (!IsShared(home.Root))
        {
            CloseOne(home.Root, open);
        }

        // By name, and not everything there is: somebody may keep a farm among other things.
        foreach (var file in Directory.EnumerateFiles(home.Root))
        {
            var name = Path.GetFileName(file);
            if (name.StartsWith("farm.", StringComparison.Ordinal) || file.StartsWith(home.Keys, StringComparison.Ordinal))
            {
                CloseOne(file, open);
            }
        }

        foreach (var folder in (string[])[home.Artifacts, home.Worker, home.Logs, home.Calibration, home.Demos])
        {
            CloseTree(folder, open);
        }

        return open;
    }

    /// <summary>A database outside of the home, with the files that SQLite keeps beside it.</summary>
    /// <returns>What could not be closed, with the reason.</returns>
    public static IReadOnlyList<string> CloseDatabase(string file)
    {
        var open = new List<string>();
        if (!OperatingSystem.IsWindows())
        {
            foreach (var part in (string[])[file, file + "-wal", file + "-shm", file + "-journal"])
            {
                if (File.Exists(part))
                {
                    CloseOne(part, open);
                }
            }
        }

        return open;
    }

    [UnsupportedOSPlatform("windows")]
    private static void CloseTree(string folder, List<string> open)
    {
        if (!Directory.Exists(folder) || new DirectoryInfo(folder).LinkTarget is not null)
        {
            return;
        }

        CloseOne(folder, open);
        try
        {
            foreach (
                var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos(
                    "*",
                    new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint }
                )
            )
            {
                CloseOne(entry.FullName, open);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            open.Add($"{folder}: {fault.Message}");
        }
    }

    /// <summary>What its owner may do with it stays.</summary>
    [UnsupportedOSPlatform("windows")]
    private static void CloseOne(string path, List<string> open)
    {
        try
        {
            var mode = File.GetUnixFileMode(path);
            if ((mode & Others) != 0)
            {
                File.SetUnixFileMode(path, mode & ~Others);
            }
        }
        catch (Exception fault) when (fault is FileNotFoundException or DirectoryNotFoundException)
        {
            // It has just gone
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            open.Add($"{path}: {fault.Message}");
        }
    }

    /// <summary>Folders that are everybody's (/tmp), and a user's own, hold more than a farm.</summary>
    [UnsupportedOSPlatform("windows")]
    private static bool IsShared(string folder) =>
        folder == Path.GetPathRoot(folder)
        || folder == Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify)
        || (File.GetUnixFileMode(folder) & UnixFileMode.StickyBit) != 0;

    [DllImport("libc", EntryPoint = "umask")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint Umask(uint mask);
}
