using RenderFarm.Hosting.Folders;

namespace RenderFarm.Cli.Farm;

/// <summary>
/// One farm a home: two would write to one database and share one worker's folder. The lock is the kernel's, so it ends with the
/// process however that ends; beside it lies who has it.
/// </summary>
internal sealed class HomeLock : IDisposable
{
    private const string FileName = "farm.lock";
    private const string HolderName = "farm.holder";
    private readonly FileStream _file;

    private HomeLock(FileStream file) => _file = file;

    /// <summary>A look, which makes nothing.</summary>
    /// <exception cref="FarmException">A farm runs there.</exception>
    public static void RequireFree(FarmHome home)
    {
        if (File.Exists(Path.Combine(home.Root, FileName)))
        {
            Open(home).Dispose();
        }
    }

    /// <param name="home">Whose folder is there.</param>
    /// <param name="address">Of the API.</param>
    /// <exception cref="FarmException">A farm runs there.</exception>
    public static HomeLock Take(FarmHome home, string address)
    {
        var file = Open(home);
        var holder = PrivateFiles.Options(FileMode.Create, FileAccess.Write, FileShare.Read);
        using (var words = new StreamWriter(Path.Combine(home.Root, HolderName), holder))
        {
            words.Write(FormattableString.Invariant($"process {Environment.ProcessId}, {address}"));
        }

        return new HomeLock(file);
    }

    public void Dispose() => _file.Dispose();

    private static FileStream Open(FarmHome home)
    {
        try
        {
            return new FileStream(
                Path.Combine(home.Root, FileName),
                PrivateFiles.Options(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None)
            );
        }
        catch (UnauthorizedAccessException error)
        {
            throw HomeFolders.NotWritable(home.Root, error);
        }
        catch (IOException error) when (error is not (DirectoryNotFoundException or FileNotFoundException))
        {
            throw new FarmException(
                "already_running",
                $"a farm runs here already{Holder(home)} in {home.Root}. Use it, stop it first, or name another folder in "
                    + FarmHome.Variable,
                error
            );
        }
    }

    /// <summary>Nothing where it is only just starting.</summary>
    private static string Holder(FarmHome home)
    {
        try
        {
            return $": {File.ReadAllText(Path.Combine(home.Root, HolderName))},";
        }
        catch (IOException)
        {
            return "";
        }
    }
}
