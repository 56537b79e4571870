using RenderFarm.Contracts.Leases;

namespace RenderFarm.Worker.Attempts;

/// <summary>
/// Scratch of one attempt: the FIFO, the unfinished video, and <c>work/</c> for the renderer. Gone with the attempt,
/// unless the video is whole: then the folder moves into the spool as it is.
/// </summary>
internal sealed class AttemptFolder : IDisposable
{
    private AttemptFolder(string path) => Path = path;

    public string Path { get; }
    public string Work => System.IO.Path.Combine(Path, "work");
    public string FramePipe => System.IO.Path.Combine(Path, "frames.fifo");

    public static AttemptFolder Create(string attempts, LeaseName lease)
    {
        var folder = new AttemptFolder(System.IO.Path.Combine(attempts, lease.ToString()));
        Directory.CreateDirectory(folder.Work);
        return folder;
    }

    /// <summary>Removes what a previous life of this worker left behind; its leases are lost by now, or will be.</summary>
    public static void Sweep(string attempts)
    {
        Directory.CreateDirectory(attempts);
        foreach (var left in Directory.EnumerateFileSystemEntries(attempts))
        {
            if (Directory.Exists(left))
            {
                Directory.Delete(left, recursive: true);
            }
            else
            {
                File.Delete(left);
            }
        }
    }

    public void Dispose()
    {
        try
        {
            if (Directory.Exists(Path))
            {
                Directory.Delete(Path, recursive: true);
            }
        }
        catch (IOException)
        {
            // A dying child wrote one more file in between: the sweep at the next start gets it, the outcome stands
        }
    }
}
