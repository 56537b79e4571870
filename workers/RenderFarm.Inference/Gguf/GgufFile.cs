using System.Globalization;
using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Gguf;

/// <summary>
/// A GGUF file, mapped into memory. Tensors in blocks of few bits come decoded to float32, as exact as they are stored; plain ones as
/// they are. The file must not change while it is open.
/// </summary>
public sealed unsafe class GgufFile : ITensorSource
{
    private const int LongestText = 4096;
    private const int LongestArray = 1 << 26;
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _file;
    private readonly GgufHeader _header;

    private GgufFile(string path)
    {
        Name = path;
        var size = LinkedFile.Of(path).Length;
        if (size == 0)
        {
            throw new CheckpointException(path, "file", "is empty"); // A mapping can't be
        }

        _map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        try
        {
            _view = _map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* start = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            _file = start + _view.PointerOffset;
            _header = new GgufHeader(_file, size, path);
        }
        catch
        {
            Dispose();
            throw;
        }

        Entries = _header.Places.ToDictionary(place => place.Key, place => place.Value.Entry, StringComparer.Ordinal);
        Metadata = _header
            .Metadata.Where(entry => entry.Value.Count is null)
            .Select(entry => (entry.Key, Text: Short(entry.Value)))
            .Where(entry => entry.Text is not null)
            .ToDictionary(entry => entry.Key, entry => entry.Text!, StringComparer.Ordinal);
    }

    /// <exception cref="CheckpointException">Missing, unreadable or malformed; names the field.</exception>
    public static GgufFile Open(string path)
    {
        try
        {
            return new GgufFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw CheckpointException.Unreadable(path, e);
        }
    }

    public string Name { get; }

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    /// <summary>What is no array, as text.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    public bool LoadsInParallel => true;

    /// <summary>Null for what has to be decoded.</summary>
    public nint? AddressOf(string name) => Find(name) is { Type.Plain: not null } place ? (nint)(_file + place.Begin) : null;

    public Tensor Load(string name)
    {
        var place = Find(name);
        var tensor = Empty(place, [.. place.Entry.Shape]);
        if (place.Entry.Bytes > 0)
        {
            Read(place, 0, place.Entry.Bytes, TensorMemory.Address(tensor));
        }

        return tensor;
    }

    public Tensor LoadRows(string name, IReadOnlyList<long> rows)
    {
        var place = Find(name);
        var count = place.Entry.Shape.Count > 1 ? place.Entry.Shape[0] : 0; // A row of one axis alone is no whole number of blocks
        if (rows.Cast<long?>().FirstOrDefault(row => row < 0 || row >= count) is { } wrong)
        {
            throw new ArgumentOutOfRangeException(nameof(rows), wrong, $"'{name}' in '{Name}' has {count} rows");
        }

        var tensor = Empty(place, [rows.Count, .. place.Entry.Shape.Skip(1)]);
        if (tensor.numel() == 0)
        {
            return tensor;
        }

        var bytes = place.Entry.Bytes / count;
        var target = TensorMemory.Address(tensor);
        var step = tensor.numel() / rows.Count * tensor.element_size();
        for (var i = 0; i < rows.Count; i++)
        {
            Read(place, rows[i] * bytes, bytes, target + (i * step));
        }

        return tensor;
    }

    /// <summary>The texts of an array of the metadata; null where there is none.</summary>
    public IReadOnlyList<string>? Texts(string key) =>
        Array(key) is { Kind: GgufKind.Text } array ? [.. _header.Texts(array)]
        : Array(key) is null ? null
        : throw new CheckpointException(Name, key, "is no array of texts");

    /// <summary>The numbers of an array of the metadata; null where there is none.</summary>
    public IReadOnlyList<double>? Numbers(string key)
    {
        if (Array(key) is not { } array)
        {
            return null;
        }

        var size = GgufValue.Size(array.Kind);
        if (size == 0)
        {
            throw new CheckpointException(Name, key, "is no array of numbers");
        }

        var numbers = new double[(int)array.Count!.Value];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = _header.Number(array.Kind, array.At + ((long)i * size));
        }

        return numbers;
    }

    /// <summary>The bytes of an array of the metadata; null where there is none.</summary>
    public byte[]? Bytes(string key) =>
        Array(key) is not { } array ? null
        : GgufValue.Size(array.Kind) == 1 ? new ReadOnlySpan<byte>(_file + array.At, (int)array.Count!.Value).ToArray()
        : throw new CheckpointException(Name, key, "is no array of bytes");

    public void Dispose()
    {
        if (_view is { SafeMemoryMappedViewHandle.IsClosed: false } view)
        {
            view.SafeMemoryMappedViewHandle.ReleasePointer();
            view.Dispose();
        }
        _map.Dispose();
    }

    private GgufValue? Array(string key)
    {
        RequireOpen();
        if (!_header.Metadata.TryGetValue(key, out var value))
        {
            return null;
        }

        return value.Count switch
        {
            null => throw new CheckpointException(Name, key, "is no array"),
            > LongestArray => throw new CheckpointException(Name, key, $"has {value.Count} elements; at most {LongestArray} are read"),
            _ => value,
        };
    }

    /// <summary>Null for a text that is longer than a name, and for one that is none.</summary>
    private string? Short(GgufValue value)
    {
        if (value.Kind != GgufKind.Text)
        {
            return value.Kind == GgufKind.Bool
                ? (_file[value.At] != 0 ? "true" : "false")
                : _header.Number(value.Kind, value.At).ToString(CultureInfo.InvariantCulture);
        }

        return Unsafe.ReadUnaligned<ulong>(_file + value.At) <= LongestText ? _header.Text(value.At) : null;
    }

    private static Tensor Empty(GgufHeader.Place place, long[] shape) =>
        empty(shape, dtype: place.Entry.Type.ScalarType).DetachFromDisposeScope();

    /// <param name="from">Counted from the tensor's first byte; a whole number of blocks.</param>
    private void Read(GgufHeader.Place place, long from, long bytes, byte* target)
    {
        var source = _file + place.Begin + from;
        if (place.Type.Decode is { } decode)
        {
            decode(source, bytes / place.Type.Bytes, (float*)target);
        }
        else
        {
            Buffer.MemoryCopy(source, target, bytes, bytes);
        }
    }

    private GgufHeader.Place Find(string name)
    {
        RequireOpen();
        return _header.Places.TryGetValue(name, out var place)
            ? place
            : throw new CheckpointException(Name, name, "there is no such tensor");
    }

    private void RequireOpen() => ObjectDisposedException.ThrowIf(_view.SafeMemoryMappedViewHandle.IsClosed, this);
}
