using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using RenderFarm.Cuda.Memory;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>What a finished file of prepared blocks is; written last, so its presence means that the file is whole.</summary>
/// <param name="Layout">Digest of the layout the blocks were written by.</param>
/// <param name="Checksums">SHA-256 of each block.</param>
public sealed record PreparedMarker(string Layout, int Blocks, long BlockBytes, IReadOnlyList<string> Checksums);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PreparedMarker))]
internal sealed partial class PreparedJson : JsonSerializerContext;

/// <summary>
/// Prepared blocks one after the other in a file that is mapped, usually in shared memory, where it outlives the process
/// that made it: the next process maps and registers it in about a second. Beside the file lies <c>.complete</c>, its marker.
/// </summary>
public sealed unsafe class PreparedBlocks : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private RegisteredMemory? _registered;
    private bool _disposed;

    private PreparedBlocks(string path, BlockLayout layout, int blocks, bool writable)
    {
        (BlockBytes, Blocks) = (layout.Bytes, blocks);
        var access = writable ? MemoryMappedFileAccess.ReadWrite : MemoryMappedFileAccess.Read;
        _file = MemoryMappedFile.CreateFromFile(path, writable ? FileMode.Create : FileMode.Open, null, writable ? Bytes : 0, access);
        _view = _file.CreateViewAccessor(0, Bytes, access);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    public long BlockBytes { get; }

    public int Blocks { get; }

    public long Bytes => BlockBytes * Blocks;

    /// <summary>The first block.</summary>
    public nint Address => (nint)_start;

    public nint Block(int index) => (nint)(_start + index * BlockBytes);

    /// <summary>Opens the file if it is whole and of this layout; null otherwise.</summary>
    public static PreparedBlocks? Open(string path, BlockLayout layout, int blocks)
    {
        var marker = ReadMarker(path);
        if (marker is null || marker.Layout != Digest(layout) || marker.Blocks != blocks) return null;
        return File.Exists(path) && new FileInfo(path).Length == layout.Bytes * blocks ? new PreparedBlocks(path, layout, blocks, writable: false) : null;
    }

    /// <summary>Writes the file block by block, then its marker, and opens it for reading.</summary>
    /// <param name="fill">Writes one block to the address given.</param>
    public static PreparedBlocks Create(string path, BlockLayout layout, int blocks, Action<int, nint> fill)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.Delete(MarkerPath(path));
        var checksums = new string[blocks];
        using (var writable = new PreparedBlocks(path, layout, blocks, writable: true))
        {
            for (int block = 0; block < blocks; block++)
            {
                fill(block, writable.Block(block));
                checksums[block] = Checksum(writable.Block(block), layout.Bytes);
            }
        }
        string aside = string.Create(CultureInfo.InvariantCulture, $"{MarkerPath(path)}.{Environment.ProcessId}");
        File.WriteAllText(aside, JsonSerializer.Serialize(new PreparedMarker(Digest(layout), blocks, layout.Bytes, checksums), PreparedJson.Default.PreparedMarker));
        File.Move(aside, MarkerPath(path), overwrite: true);
        return new PreparedBlocks(path, layout, blocks, writable: false);
    }

    /// <summary>The first block whose bytes are not what was written; null when all are.</summary>
    public int? FirstDamaged(string path)
    {
        var marker = ReadMarker(path) ?? throw new InvalidOperationException($"{path} has no marker");
        for (int block = 0; block < Blocks; block++)
            if (Checksum(Block(block), BlockBytes) != marker.Checksums[block])
                return block;
        return null;
    }

    /// <summary>Page-locks the mapping, so that copies to a card run beside computing. Needs a GPU.</summary>
    public void Register() => _registered ??= RegisteredMemory.Register(Address, Bytes);

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        _registered?.Dispose();
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    /// <summary>Beside the blocks.</summary>
    public static string MarkerPath(string path) => path + ".complete";

    private static PreparedMarker? ReadMarker(string path) => File.Exists(MarkerPath(path))
        ? JsonSerializer.Deserialize(File.ReadAllText(MarkerPath(path)), PreparedJson.Default.PreparedMarker)
        : null;

    private static string Digest(BlockLayout layout) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n',
        layout.Tensors.Select(t => string.Create(CultureInfo.InvariantCulture, $"{t.Name} {t.Part} {(int)t.Type} {string.Join('x', t.Shape)} {t.Offset}"))))));

    private static string Checksum(nint address, long bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < bytes;)
        {
            int piece = (int)Math.Min(bytes - at, 1 << 26);
            hash.AppendData(new ReadOnlySpan<byte>((byte*)address + at, piece));
            at += piece;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
