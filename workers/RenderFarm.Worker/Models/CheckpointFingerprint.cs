using System.Buffers.Binary;
using System.Security.Cryptography;

namespace RenderFarm.Worker.Models;

/// <summary>
/// Tells checkpoints apart without reading gigabytes: the digest of each file's header (names, types, shapes, offsets
/// of all tensors) and its length. Of other files the beginning and the end are digested: a small one is that whole, and a PyTorch
/// checkpoint is a zip, whose end lists every tensor with its checksum.
/// </summary>
internal static class CheckpointFingerprint
{
    private const long LongestHeader = 100_000_000;
    private const int EndBytes = 4 << 20;

    /// <exception cref="IOException">A file is missing or is no checkpoint.</exception>
    public static async Task<string> OfAsync(IReadOnlyList<string> files, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var path in files)
        {
            var file = File.OpenRead(path);
            await using (file)
            {
                hash.AppendData(
                    path.EndsWith(".safetensors", StringComparison.Ordinal) ? Header(file) : await EndsAsync(file, cancellationToken)
                );
                hash.AppendData(BitConverter.GetBytes(file.Length));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async Task<byte[]> EndsAsync(FileStream file, CancellationToken cancellationToken)
    {
        var ends = new byte[Math.Min(file.Length, 2 * EndBytes)];
        var first = Math.Min(ends.Length, EndBytes);
        await file.ReadExactlyAsync(ends.AsMemory(0, first), cancellationToken);
        file.Seek(file.Length - (ends.Length - first), SeekOrigin.Begin);
        await file.ReadExactlyAsync(ends.AsMemory(first), cancellationToken);
        return ends;
    }

    /// <summary>The JSON at the beginning of a safetensors file.</summary>
    /// <exception cref="IOException">It is truncated, or no safetensors file.</exception>
    public static byte[] Header(FileStream file)
    {
        var prefix = new byte[8];
        if (file.Length < prefix.Length)
        {
            throw new IOException($"{file.Name} is {file.Length} bytes long: no safetensors file");
        }

        file.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadInt64LittleEndian(prefix);
        if (length is <= 0 or > LongestHeader || length > file.Length - prefix.Length)
        {
            throw new IOException(
                $"{file.Name} names a header of {length} bytes in a file of {file.Length}: truncated, or no safetensors file"
            );
        }

        var header = new byte[length];
        file.ReadExactly(header);
        return header;
    }
}
