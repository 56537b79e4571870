namespace RenderFarm.Hosting.Folders;

/// <summary>Room on the disk that a folder is on, or would be on when it is made. The one place that asks for it.</summary>
/// <param name="ask">What the disk of an existing folder has.</param>
public sealed class FreeSpace(Func<string, DiskRoom> ask)
{
    /// <summary>As the operating system has it.</summary>
    public static FreeSpace OfDisks { get; } = new(Ask);

    public DiskRoom Of(string folder) => ask(ExistingParent(Path.GetFullPath(folder)));

    public long BytesFor(string folder) => Of(folder).FreeBytes;

    private static DiskRoom Ask(string folder)
    {
        var drive = new DriveInfo(folder);
        return new DiskRoom(drive.AvailableFreeSpace, drive.TotalSize);
    }

    private static string ExistingParent(string folder)
    {
        while (!Directory.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder) ?? "/";
        }

        return folder;
    }
}

/// <param name="FreeBytes">For this user.</param>
public readonly record struct DiskRoom(long FreeBytes, long TotalBytes);
