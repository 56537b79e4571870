namespace RenderFarm.Hosting.Folders;

/// <summary>A read-only window of a file, which it owns. A window past the end is empty.</summary>
public sealed class FilePartStream : Stream
{
    private readonly FileStream _file;
    private readonly long _first;
    private readonly long _length;

    /// <param name="first">Of the file's bytes.</param>
    /// <param name="length">Less where the file ends before.</param>
    public FilePartStream(FileStream file, long first, long length)
    {
        ArgumentNullException.ThrowIfNull(file);
        _file = file;
        _first = Math.Min(first, file.Length);
        _length = Math.Clamp(length, 0, file.Length - _first);
        _file.Position = _first;
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => _length;
    public override long Position
    {
        get => _file.Position - _first;
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => _file.Read(buffer, offset, Bounded(count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _file.ReadAsync(buffer[..Bounded(buffer.Length)], cancellationToken);

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Bounded(int count) => (int)Math.Min(count, Math.Max(0, _length - Position));
}
