using RenderFarm.Hosting.Folders;

namespace RenderFarm.Cli.Farm;

/// <summary>Makes the folders of a farm's home, and closes them to others.</summary>
internal static class HomeFolders
{
    /// <exception cref="FarmException">One can't be made.</exception>
    public static FarmHome Create(this FarmHome home)
    {
        try
        {
            foreach (var folder in new[] { home.Root, home.Artifacts, home.Models, home.Worker, home.Logs })
            {
                if (OperatingSystem.IsWindows())
                {
                    Directory.CreateDirectory(folder);
                }
                else
                {
                    Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                }
            }

            // What can't be closed here the API tells of in its log.
            _ = PrivateFiles.Close(home);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(home.Root, error);
        }

        return home;
    }

    /// <param name="what">The folder that was to be written.</param>
    public static FarmException NotWritable(string what, Exception error) =>
        new(
            "home_not_writable",
            $"can't keep the farm's data in {what}: {error.Message} Name a folder that can be written in {FarmHome.Variable}",
            error
        );
}
