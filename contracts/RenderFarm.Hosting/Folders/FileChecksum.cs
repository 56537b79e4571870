using System.Security.Cryptography;

namespace RenderFarm.Hosting.Folders;

/// <summary>SHA-256 of files, lower-case hex.</summary>
public static class FileChecksum
{
    public static async Task<string> Sha256Async(string path, CancellationToken cancellationToken)
    {
        var file = OpenSequential(path);
        await using (file)
        {
            return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellationToken));
        }
    }

    /// <summary>To be read once, from its beginning on.</summary>
    public static FileStream OpenSequential(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 17, FileOptions.Asynchronous | FileOptions.SequentialScan);
}
