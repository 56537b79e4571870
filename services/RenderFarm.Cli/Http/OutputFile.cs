namespace RenderFarm.Cli.Http;

/// <summary>Where a download will go, tried before minutes are spent on rendering what could then not be written.</summary>
internal static class OutputFile
{
    /// <exception cref="FarmException"><c>cannot_write</c>.</exception>
    public static void Require(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new FarmException("cannot_write", $"can't write {full}: it is a folder; name a file with --out");
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(full)!);
            using var trial = new FileStream(
                $"{full}.{Guid.NewGuid():N}.part",
                FileMode.CreateNew,
                FileAccess.Write,
                FileShare.None,
                bufferSize: 1,
                FileOptions.DeleteOnClose
            );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FarmException("cannot_write", $"can't write {full}: {error.Message} Name another file with --out", error);
        }
    }
}
