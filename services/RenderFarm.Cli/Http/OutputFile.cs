using System.Globalization;

namespace RenderFarm.Cli.Http;

/// <summary>Where a download goes. What lies there already stays, unless it may be replaced.</summary>
internal sealed class OutputFile
{
    private readonly bool _replaces;
    private readonly bool _counts;

    private OutputFile(string path, bool replaces, bool counts) =>
        (FullPath, _replaces, _counts) = (Path.GetFullPath(path), replaces, counts);

    /// <summary>Where it will lie; of a name that counts up, the first one that was free at the time.</summary>
    public string FullPath { get; private set; }

    /// <summary><see cref="Chosen"/> where somebody chose a name, else <see cref="Counted"/>.</summary>
    public static OutputFile Of(string? chosen, string ours, bool force) =>
        chosen is not null ? Chosen(chosen, force)
        : force ? Chosen(ours, force)
        : Counted(ours);

    /// <summary>A name that somebody chose.</summary>
    /// <exception cref="FarmException">A file is there, and it was not said that it may go.</exception>
    public static OutputFile Chosen(string path, bool force) =>
        force || !File.Exists(path)
            ? new OutputFile(path, force, counts: false)
            : throw new FarmException("file_exists", $"{Path.GetFullPath(path)} is there already: --force replaces it");

    /// <summary>A name of our own, such as <c>out.mp4</c>: where it is taken, <c>out-2.mp4</c> and so on.</summary>
    public static OutputFile Counted(string path)
    {
        var file = new OutputFile(path, replaces: false, counts: true);
        file.FullPath = file.FirstFree();
        return file;
    }

    /// <summary>A name that says what is in it, such as a video's id: what is there is the same.</summary>
    public static OutputFile Named(string path) => new(path, replaces: true, counts: false);

    /// <summary>Tries it, before minutes are spent on rendering what could then not be written.</summary>
    /// <exception cref="FarmException"><c>cannot_write</c>.</exception>
    public void Require()
    {
        if (Directory.Exists(FullPath))
        {
            throw new FarmException("cannot_write", $"can't write {FullPath}: it is a folder; name a file with --out");
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(FullPath)!);
            using var trial = new FileStream(
                PartPath(),
                FileMode.CreateNew,
                FileAccess.Write,
                FileShare.None,
                bufferSize: 1,
                FileOptions.DeleteOnClose
            );
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FarmException("cannot_write", $"can't write {FullPath}: {error.Message} Name another file with --out", error);
        }
    }

    /// <summary>Where it is written, until it is whole.</summary>
    public string PartPath() => $"{FullPath}.{Guid.NewGuid():N}.part";

    /// <summary>It is whole.</summary>
    /// <param name="part">It.</param>
    /// <exception cref="IOException">Somebody else has made a file of that name meanwhile.</exception>
    public void Take(string part)
    {
        while (true)
        {
            try
            {
                File.Move(part, FullPath, _replaces);
                return;
            }
            catch (IOException) when (_counts && File.Exists(FullPath))
            {
                FullPath = FirstFree();
            }
        }
    }

    private string FirstFree()
    {
        var (folder, name, kind) = (
            Path.GetDirectoryName(FullPath)!,
            Path.GetFileNameWithoutExtension(FullPath),
            Path.GetExtension(FullPath)
        );
        var free = FullPath;
        for (var number = 2; File.Exists(free); number++)
        {
            free = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{name}-{number}{kind}"));
        }

        return free;
    }
}
