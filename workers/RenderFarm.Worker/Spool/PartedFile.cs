using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using RenderFarm.Contracts.Leases;
using RenderFarm.Hosting.Folders;

namespace RenderFarm.Worker.Spool;

/// <summary>A file of the spool as it is uploaded: in parts, each with a checksum of its own, and whole.</summary>
internal sealed class PartedFile
{
    private readonly string _path;

    private PartedFile(string path, SpoolFile file, IReadOnlyList<string> partsMd5) => (_path, File, PartsMd5) = (path, file, partsMd5);

    public SpoolFile File { get; }

    /// <summary>In base64.</summary>
    public IReadOnlyList<string> PartsMd5 { get; }

    /// <summary>Reads the file once, for all its checksums.</summary>
    /// <exception cref="SpoolDamagedException">It is not what was put into the spool.</exception>
    [SuppressMessage("Security", "CA5351", Justification = "What Content-MD5 is; the whole is held to its SHA-256.")]
    public static async Task<PartedFile> ReadAsync(string entry, SpoolFile file, CancellationToken cancellationToken)
    {
        var path = Path.Combine(entry, file.Name);
        if (!System.IO.File.Exists(path))
        {
            throw new SpoolDamagedException($"{path} is gone");
        }

        using var whole = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var part = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        List<string> parts = [];
        var buffer = new byte[1 << 17]; // Of which a part is a multiple
        var inPart = 0L;
        await using (var content = FileChecksum.OpenSequential(path))
        {
            int read;
            while ((read = await content.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken)) > 0)
            {
                whole.AppendData(buffer.AsSpan(0, read));
                part.AppendData(buffer.AsSpan(0, read));
                if ((inPart += read) == UploadRequest.PartBytes)
                {
                    parts.Add(Convert.ToBase64String(part.GetHashAndReset()));
                    inPart = 0;
                }
            }
        }

        if (inPart > 0)
        {
            parts.Add(Convert.ToBase64String(part.GetHashAndReset()));
        }

        var actual = Convert.ToHexStringLower(whole.GetHashAndReset());
        return actual == file.Sha256
            ? new PartedFile(path, file, parts)
            : throw new SpoolDamagedException($"{path} has SHA-256 {actual}, promised was {file.Sha256}");
    }

    /// <param name="number">From 1.</param>
    public Stream OpenPart(int number) =>
        new FilePartStream(FileChecksum.OpenSequential(_path), (number - 1L) * UploadRequest.PartBytes, UploadRequest.PartBytes);
}

/// <summary>A finished video is not on disk any more as it was finished.</summary>
internal sealed class SpoolDamagedException(string message) : Exception(message);
