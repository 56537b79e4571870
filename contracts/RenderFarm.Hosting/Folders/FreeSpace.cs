namespace RenderFarm.Hosting.Folders;

/// <summary>Room on the disk that a folder is on, or would be on when it is made.</summary>
public static class FreeSpace
{
    public static long BytesFor(string folder) => new DriveInfo(ExistingParent(folder)).AvailableFreeSpace;

    private static string ExistingParent(string folder)
    {
        while (!Directory.Exists(folder))
        {
            folder = Path.GetDirectoryName(folder) ?? "/";
        }

        return folder;
    }
}
