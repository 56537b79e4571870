using System.Security.Cryptography;

namespace RenderFarm.Artifacts;

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

    internal static FileStream OpenSequential(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1 << 17, FileOptions.Asynchronous | FileOptions.SequentialScan);
}
