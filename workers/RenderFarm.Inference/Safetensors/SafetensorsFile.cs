using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Safetensors;

/// <summary>
/// A safetensors file, mapped into memory and read where it lies: opening one of 27 GB reads its header only.
/// The file must not change while it is open.
/// </summary>
public sealed class SafetensorsFile : ITensorSource
{
    private readonly MemoryMappedFile? _map;
    private readonly MemoryMappedViewAccessor? _view;
    private readonly SafetensorsHeader _header;
    private readonly unsafe byte* _data;

    private unsafe SafetensorsFile(string path)
    {
        Name = path;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        _header = SafetensorsHeader.Read(stream, path);
        Entries = _header.Places.ToDictionary(place => place.Key, place => place.Value.Entry, StringComparer.Ordinal);
        if (stream.Length == _header.DataStart)
        {
            return; // A mapping can't be empty
        }

        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _data = start + _view.PointerOffset + _header.DataStart;
    }

    /// <exception cref="CheckpointException">Missing, unreadable or malformed; names the field.</exception>
    public static SafetensorsFile Open(string path)
    {
        try
        {
            return new SafetensorsFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CheckpointException.Unreadable(path, e);
        }
    }

    public string Name { get; }

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    public bool LoadsInParallel => true;

    /// <summary>Bytes of the header: equal digests of it mean equal names, types, shapes and order.</summary>
    public long HeaderBytes => _header.DataStart;

    public unsafe Tensor Load(string name)
    {
        var place = Find(name);
        var tensor = empty([.. place.Entry.Shape], dtype: place.Entry.Type.ScalarType).DetachFromDisposeScope();
        if (place.Entry.Bytes > 0)
        {
            TensorMemory.CopyInto(tensor, _data + place.Begin, place.Entry.Bytes);
        }

        return tensor;
    }

    public unsafe Tensor LoadRows(string name, IReadOnlyList<long> rows)
    {
        var place = Find(name);
        var count = place.Entry.Shape.Count > 0 ? place.Entry.Shape[0] : 0;
        if (rows.Cast<long?>().FirstOrDefault(row => row < 0 || row >= count) is { } wrong)
        {
            throw new ArgumentOutOfRangeException(nameof(rows), wrong, $"'{name}' in '{Name}' has {count} rows");
        }

        var tensor = empty([rows.Count, .. place.Entry.Shape.Skip(1)], dtype: place.Entry.Type.ScalarType).DetachFromDisposeScope();
        if (tensor.numel() == 0)
        {
            return tensor;
        }

        var bytes = place.Entry.Bytes / count;
        var target = TensorMemory.Address(tensor);
        for (var i = 0; i < rows.Count; i++)
        {
            Buffer.MemoryCopy(_data + place.Begin + rows[i] * bytes, target + i * bytes, bytes, bytes);
        }

        return tensor;
    }

    /// <summary>
    /// The stored bytes, valid until the file is disposed. Tensors of 2 GiB and more don't fit a span: use <see cref="AddressOf"/>.
    /// </summary>
    public unsafe ReadOnlySpan<byte> Bytes(string name)
    {
        var place = Find(name);
        return new ReadOnlySpan<byte>(_data + place.Begin, checked((int)place.Entry.Bytes));
    }

    public unsafe nint? AddressOf(string name) => (nint)(_data + Find(name).Begin);

    public void Dispose()
    {
        if (_view is { SafeMemoryMappedViewHandle.IsClosed: false } view)
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
        }
        _map?.Dispose();
    }

    private SafetensorsHeader.Place Find(string name)
    {
        ObjectDisposedException.ThrowIf(_view is { SafeMemoryMappedViewHandle.IsClosed: true }, this);
        return _header.Places.TryGetValue(name, out var place)
            ? place
            : throw new CheckpointException(Name, name, "there is no such tensor");
    }
}
