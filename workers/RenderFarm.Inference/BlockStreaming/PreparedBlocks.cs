using System.Globalization;
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
/// One mapping may have several owners (<see cref="Share"/>) and goes with the last of them.
/// </summary>
public sealed unsafe class PreparedBlocks : IDisposable
{
    private readonly Mapping _mapping;
    private bool _disposed;

    private PreparedBlocks(FileStream file, long blockBytes, int blocks, bool writable, IDisposable? hold = null)
        : this(new Mapping(file, blockBytes * blocks, writable, hold), blockBytes, blocks) { }

    private PreparedBlocks(Mapping mapping, long blockBytes, int blocks) =>
        (_mapping, BlockBytes, Blocks) = (mapping, blockBytes, blocks);

    public long BlockBytes { get; }

    public int Blocks { get; }

    public long Bytes => BlockBytes * Blocks;

    /// <summary>The first block.</summary>
    public nint Address => _mapping.Start;

    public nint Block(int index) => Address + (nint)(index * BlockBytes);

    /// <summary>The same blocks for one more owner, page-locked where they are.</summary>
    public PreparedBlocks Share()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return new PreparedBlocks(_mapping.Share(), BlockBytes, Blocks);
    }

    /// <summary>Opens the file if it is whole and of this layout; null otherwise.</summary>
    /// <param name="hold">Kept for as long as the blocks are mapped; the caller's again when there is nothing to open.</param>
    public static PreparedBlocks? Open(string path, BlockLayout layout, int blocks, IDisposable? hold = null)
    {
        var marker = ReadMarker(path);
        if (marker is null || marker.Layout != Digest(layout) || marker.Blocks != blocks || !IsWhole(path, marker))
        {
            return null;
        }

        return new PreparedBlocks(OpenRead(path), layout.Bytes, blocks, writable: false, hold);
    }

    /// <summary>Writes the file block by block, then its marker, and opens it for reading.</summary>
    /// <param name="filler">Writes every block.</param>
    public static PreparedBlocks Create(string path, BlockLayout layout, int blocks, BlockFiller filler)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.Delete(MarkerPath(path));
        var checksums = new string[blocks];
        using (var writable = new PreparedBlocks(OpenNew(path), layout.Bytes, blocks, writable: true))
        {
            filler.Run(
                blocks,
                block =>
                {
                    writable.Fill(block, filler);
                    checksums[block] = Checksum(writable.Block(block), layout.Bytes);
                }
            );
        }
        var aside = string.Create(CultureInfo.InvariantCulture, $"{MarkerPath(path)}.{Environment.ProcessId}");
        File.WriteAllText(
            aside,
            JsonSerializer.Serialize(
                new PreparedMarker(Digest(layout), blocks, layout.Bytes, checksums),
                PreparedJson.Default.PreparedMarker
            )
        );
        File.Move(aside, MarkerPath(path), overwrite: true);
        return new PreparedBlocks(OpenRead(path), layout.Bytes, blocks, writable: false);
    }

    /// <summary>The same without a name, for this process alone: no end of it leaves anything behind.</summary>
    public static PreparedBlocks CreateUnnamed(string folder, BlockLayout layout, int blocks, BlockFiller filler)
    {
        var path = Path.Combine(
            folder,
            string.Create(CultureInfo.InvariantCulture, $"renderfarm-{Environment.ProcessId}-{Guid.NewGuid():n}")
        );
        var file = OpenNew(path);
        File.Delete(path);
        var nameless = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}");
        using var writable = new PreparedBlocks(file, layout.Bytes, blocks, writable: true);
        filler.Run(blocks, block => writable.Fill(block, filler));
        return new PreparedBlocks(OpenRead(nameless), layout.Bytes, blocks, writable: false); // read-only registers three times faster
    }

    /// <summary>What is wrong with the file, by its marker and every block's checksum; null when nothing is.</summary>
    public static string? Damage(string path)
    {
        if (ReadMarker(path) is not { } marker)
        {
            return "it was never finished";
        }

        if (!IsWhole(path, marker))
        {
            return "its length is not what was written";
        }

        using var prepared = new PreparedBlocks(OpenRead(path), marker.BlockBytes, marker.Blocks, writable: false);
        var damaged = ParallelEnumerable
            .Range(0, marker.Blocks)
            .Where(block => Checksum(prepared.Block(block), marker.BlockBytes) != marker.Checksums[block])
            .Min(block => (int?)block);
        return damaged is null ? null : string.Create(CultureInfo.InvariantCulture, $"block {damaged} is not what was written");
    }

    /// <summary>Page-locks the mapping where that can be, so that copies to a card run beside computing. Needs a GPU.</summary>
    /// <returns>How: where it can't be, copies have to go another way.</returns>
    public PageLocking Register() => _mapping.Register();

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _mapping.Dispose();
        }
    }

    /// <summary>Beside the blocks.</summary>
    public static string MarkerPath(string path) => path + ".complete";

    private static PreparedMarker? ReadMarker(string path)
    {
        if (!File.Exists(MarkerPath(path)))
        {
            return null;
        }

        try
        {
            var marker = JsonSerializer.Deserialize(File.ReadAllText(MarkerPath(path)), PreparedJson.Default.PreparedMarker);
            return marker is { Blocks: > 0, BlockBytes: > 0, Layout: not null } && marker.Checksums?.Count == marker.Blocks ? marker : null;
        }
        catch (JsonException)
        {
            return null; // No marker of ours, or a torn one: the blocks are made anew
        }
    }

    private static FileStream OpenRead(string path) => new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static FileStream OpenNew(string path) =>
        new(path, FileMode.Create, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);

    /// <summary>Every block takes its memory at once: page by page, what isn't there would end the process without a word.</summary>
    private void Fill(int block, BlockFiller filler)
    {
        _mapping.Take(Block(block), BlockBytes);
        filler.Fill(block, Block(block));
    }

    private static bool IsWhole(string path, PreparedMarker marker) =>
        File.Exists(path) && new FileInfo(path).Length == marker.BlockBytes * marker.Blocks;

    private static string Digest(BlockLayout layout) =>
        Convert.ToHexStringLower(
            SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    string.Join(
                        '\n',
                        layout.Tensors.Select(t =>
                            string.Create(
                                CultureInfo.InvariantCulture,
                                $"{t.Name} {t.Part} {(int)t.Type} {string.Join('x', t.Shape)} {t.Offset}"
                            )
                        )
                    )
                )
            )
        );

    private static string Checksum(nint address, long bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < bytes;)
        {
            var piece = (int)Math.Min(bytes - at, 1 << 26);
            hash.AppendData(new ReadOnlySpan<byte>((byte*)address + at, piece));
            at += piece;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>A file in this process's memory, for as long as anybody owns it.</summary>
    private sealed class Mapping : IDisposable
    {
        private readonly Lock _gate = new();
        private readonly FileStream _stream;
        private readonly MappedPages _pages;
        private readonly long _bytes;
        private readonly IDisposable? _hold;
        private MappedPages? _writable;
        private (RegisteredMemory? Held, PageLocking Way)? _lock;
        private int _owners = 1;

        public Mapping(FileStream file, long bytes, bool writable, IDisposable? hold)
        {
            (_stream, _bytes, _hold) = (file, bytes, hold);
            if (writable)
            {
                file.SetLength(bytes); // Its blocks take their memory as they are written
            }

            _pages = new MappedPages(file, bytes, writable);
            if (writable)
            {
                PageRanges.PreferLarge(_pages.Address, bytes);
            }
        }

        public nint Start => (_writable ?? _pages).Address;

        public void Take(nint address, long bytes) => PageRanges.Take(address, bytes, _stream.SafeFileHandle, address - Start);

        public PageLocking Register()
        {
            lock (_gate)
            {
                if (_lock is { } known)
                {
                    return known.Way;
                }

                var taken = PageLock.Take(_pages.Address, MapForWriting, _bytes);
                if (taken.Way == PageLocking.Staged)
                {
                    _writable?.Dispose();
                    _writable = null;
                }

                _lock = taken;
                return taken.Way;
            }
        }

        public Mapping Share()
        {
            Interlocked.Increment(ref _owners);
            return this;
        }

        public void Dispose()
        {
            if (Interlocked.Decrement(ref _owners) > 0)
            {
                return;
            }

            _lock?.Held?.Dispose();
            _writable?.Dispose();
            _pages.Dispose();
            _stream.Dispose();
            _hold?.Dispose();
        }

        /// <summary>The same file, by its descriptor, for it may have no name. Nobody writes: some drivers lock no other pages.</summary>
        private nint MapForWriting()
        {
            var path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{_stream.SafeFileHandle.DangerousGetHandle()}");
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
            _writable = new MappedPages(file, _bytes, writable: true);
            return _writable.Address;
        }
    }
}
