using RenderFarm.Worker.Configuration;

namespace RenderFarm.Worker.Hosting;

/// <summary>
/// One worker per data directory: a second one would sweep away the first one's running attempts and upload its spool.
/// The lock is the kernel's, so it ends with the process however that ends.
/// </summary>
internal sealed class DataDirectoryLock : IDisposable
{
    private readonly FileStream _file;

    private DataDirectoryLock(FileStream file) => _file = file;

    /// <exception cref="WorkerSettingException">The folder can't be written, or another worker has it.</exception>
    public static DataDirectoryLock Take(string directory)
    {
        try
        {
            Directory.CreateDirectory(directory);
            return new DataDirectoryLock(
                new FileStream(Path.Combine(directory, "worker.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None)
            );
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new WorkerSettingException(
                $"Worker:DataDirectory: {directory} can't be used, or another worker uses it; give each worker its own ({fault.Message})"
            );
        }
    }

    public void Dispose() => _file.Dispose();
}
