namespace RenderFarm.Worker.Spool;

/// <summary>
/// Finished videos whose job the API does not know, in <c>spool/unclaimed/{job}-{fence}/</c>. A database that was restored from
/// before the job may be replaced by a newer one: until then the video is here, and after <see cref="KeptFor"/> nobody comes for it.
/// </summary>
internal sealed class UnclaimedVideos(string spool, TimeProvider time)
{
    public const string FolderName = "unclaimed";
    public static readonly TimeSpan KeptFor = TimeSpan.FromDays(7);
    private readonly string _directory = Path.Combine(spool, FolderName);

    public bool Holds(string entry) => Path.GetDirectoryName(entry) == _directory;

    /// <summary>Moves an entry of the spool here; its days are counted from now.</summary>
    /// <exception cref="IOException"/>
    public string Keep(string entry)
    {
        Directory.CreateDirectory(_directory);
        var kept = Path.Combine(_directory, Path.GetFileName(entry));
        Directory.Move(entry, kept);
        Directory.SetLastWriteTimeUtc(kept, time.GetUtcNow().UtcDateTime);
        return kept;
    }

    /// <summary>What is here, and whether its days are over.</summary>
    public IEnumerable<(string Entry, bool IsOverdue)> Entries()
    {
        var oldest = time.GetUtcNow().UtcDateTime - KeptFor;
        return Directory.Exists(_directory)
            ? [.. Directory.EnumerateDirectories(_directory).Select(entry => (entry, Directory.GetLastWriteTimeUtc(entry) < oldest))]
            : [];
    }
}
