using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace RenderFarm.Api.Requests;

/// <summary>A body that is all there: a small one in memory, another on disk.</summary>
internal sealed class BodyBytes : IDisposable
{
    private readonly ReadOnlyMemory<byte> _memory;
    private readonly SpooledFile? _file;
    private SafeFileHandle? _handle;

    public BodyBytes(ReadOnlyMemory<byte> memory) => (_memory, Length) = (memory, memory.Length);

    /// <param name="file">From here on this one's, to be removed with it.</param>
    public BodyBytes(SpooledFile file) => (_file, Length) = (file, file.SizeBytes);

    public long Length { get; }

    /// <summary>Null for what is on disk.</summary>
    public ReadOnlyMemory<byte>? Memory => _file is null ? _memory : default(ReadOnlyMemory<byte>?);

    /// <summary>From an offset on.</summary>
    public Stream Open(long from = 0)
    {
        if (_file is null)
        {
            return MemoryMarshal.TryGetArray(_memory[(int)from..], out var part)
                ? new MemoryStream(part.Array!, part.Offset, part.Count, writable: false)
                : new MemoryStream(_memory[(int)from..].ToArray(), writable: false);
        }

        var stream = new FileStream(_file.Path, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.SequentialScan);
        stream.Position = from;
        return stream;
    }

    /// <summary>A part of it, whole.</summary>
    public byte[] Read(TextRange part)
    {
        if (_file is null)
        {
            return _memory.Slice((int)part.From, (int)part.Length).ToArray();
        }

        var bytes = new byte[part.Length];
        _handle ??= File.OpenHandle(_file.Path);
        for (var held = 0; held < bytes.Length;)
        {
            var read = RandomAccess.Read(_handle, bytes.AsSpan(held), part.From + held);
            held += read > 0 ? read : throw new EndOfStreamException($"{_file.Path} is shorter than it was");
        }

        return bytes;
    }

    public void Dispose()
    {
        _handle?.Dispose();
        _file?.Dispose();
    }
}
