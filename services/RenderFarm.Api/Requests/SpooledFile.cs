using System.Security.Cryptography;
using RenderFarm.Api.Errors;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Api.Requests;

/// <summary>
/// Bytes from outside on their way in: on disk, so that many slow uploads at once take no memory. Disposing removes the file.
/// </summary>
internal sealed class SpooledFile : IDisposable
{
    private SpooledFile(string path, long sizeBytes, string sha256) => (Path, SizeBytes, Sha256) = (path, sizeBytes, sha256);

    public string Path { get; }
    public long SizeBytes { get; }

    /// <summary>Lower-case hex.</summary>
    public string Sha256 { get; }

    /// <param name="limit">Reading stops at the first byte beyond it.</param>
    /// <returns>Null when there is more than <paramref name="limit"/>.</returns>
    /// <exception cref="LocalDiskException">There is no room for it.</exception>
    public static async Task<SpooledFile?> WriteAsync(Stream source, long limit, CancellationToken cancellationToken)
    {
        var path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"renderfarm-in-{Guid.NewGuid():N}");
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            long size = 0;
            await using (var file = new FileStream(path, Options(FileAccess.Write, FileOptions.Asynchronous)))
            {
                var buffer = new byte[1 << 16];
                for (int read; (read = await source.ReadAsync(buffer, cancellationToken)) > 0;)
                {
                    if ((size += read) > limit)
                    {
                        break;
                    }

                    hash.AppendData(buffer, 0, read);
                    await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                }
            }

            if (size <= limit)
            {
                return new SpooledFile(path, size, Convert.ToHexStringLower(hash.GetHashAndReset()));
            }
        }
        catch (Exception e)
        {
            File.Delete(path);
            if (e is IOException fault && DiskTrouble.Is(fault))
            {
                throw new LocalDiskException(fault);
            }

            throw;
        }

        File.Delete(path);
        return null;
    }

    public void Dispose() => File.Delete(Path);

    /// <summary>For a new file that is nobody else's to read.</summary>
    internal static FileStreamOptions Options(FileAccess access, FileOptions how)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = access,
            Options = how,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return options;
    }
}
