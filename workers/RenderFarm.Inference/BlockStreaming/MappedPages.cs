using System.IO.MemoryMappedFiles;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>A file's bytes in this process's memory.</summary>
internal sealed unsafe class MappedPages : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly long _bytes;

    /// <param name="file">Stays the caller's.</param>
    public MappedPages(FileStream file, long bytes, bool writable)
    {
        _bytes = bytes;
        var access = writable ? MemoryMappedFileAccess.ReadWrite : MemoryMappedFileAccess.Read;
        _file = MemoryMappedFile.CreateFromFile(file, null, writable ? bytes : 0, access, HandleInheritability.None, leaveOpen: true);
        _view = _file.CreateViewAccessor(0, bytes, access);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    public nint Address => (nint)_start;

    /// <summary>Every byte; only where it may be written.</summary>
    public void Fill(byte value)
    {
        for (long at = 0; at < _bytes; at += 1 << 30)
        {
            new Span<byte>(_start + at, (int)Math.Min(1 << 30, _bytes - at)).Fill(value);
        }
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
