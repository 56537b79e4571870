using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;
using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Inference.Gguf;

/// <summary>
/// The front of a GGUF file: metadata, then a name, sizes, a type and an offset per tensor. Nothing of it is trusted: each count, length
/// and offset is held against the bytes that are there before anything is made of it, and arrays stay where they are until
/// they are asked for, so that a header takes memory in proportion to its tensors and entries alone.
/// </summary>
internal sealed unsafe class GgufHeader
{
    private const uint Magic = 0x46554747; // "GGUF"
    private const string Alignment = "general.alignment";
    private const uint MostDimensions = 8;
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly byte* _file;
    private readonly long _size;
    private readonly string _name;
    private long _at;

    /// <param name="Begin">First byte, counted from the start of the file.</param>
    public sealed record Place(TensorEntry Entry, GgufType Type, long Begin);

    /// <param name="file">The whole file, mapped; must outlive the header.</param>
    /// <param name="name">What errors call it.</param>
    /// <exception cref="CheckpointException">Names the entry or tensor that lies.</exception>
    public GgufHeader(byte* file, long size, string name)
    {
        _file = file;
        (_size, _name) = (size, name);
        if (size < 24 || Read<uint>("header") != Magic)
        {
            throw Fault("header", "is no GGUF: the file does not begin with it");
        }

        var version = Read<uint>("version");
        if (version is not (2 or 3))
        {
            throw Fault(
                "version",
                version is 0x02000000 or 0x03000000
                    ? "is written by a big-endian machine; take the usual little-endian file"
                    : $"is {version}; 2 and 3 are read"
            );
        }

        var tensors = Count("number of tensors", least: 24);
        var entries = Count("number of metadata entries", least: 13);
        for (var i = 0L; i < entries; i++)
        {
            ReadEntry();
        }

        ReadTensors(tensors);
    }

    public Dictionary<string, GgufValue> Metadata { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, Place> Places { get; } = new(StringComparer.Ordinal);

    /// <summary>The text at a place that was checked when the header was read; what is not Unicode in it is replaced.</summary>
    public string Text(long at) =>
        Encoding.UTF8.GetString(_file + at + sizeof(ulong), checked((int)Unsafe.ReadUnaligned<ulong>(_file + at)));

    /// <summary>All texts of an array.</summary>
    public IEnumerable<string> Texts(GgufValue array)
    {
        var at = array.At;
        for (var i = 0L; i < array.Count; i++)
        {
            yield return Text(ref at, "text");
        }
    }

    public double Number(GgufKind kind, long at) =>
        kind switch
        {
            GgufKind.UInt8 or GgufKind.Bool => _file[at],
            GgufKind.Int8 => (sbyte)_file[at],
            GgufKind.UInt16 => Unsafe.ReadUnaligned<ushort>(_file + at),
            GgufKind.Int16 => Unsafe.ReadUnaligned<short>(_file + at),
            GgufKind.UInt32 => Unsafe.ReadUnaligned<uint>(_file + at),
            GgufKind.Int32 => Unsafe.ReadUnaligned<int>(_file + at),
            GgufKind.Float32 => Unsafe.ReadUnaligned<float>(_file + at),
            GgufKind.UInt64 => Unsafe.ReadUnaligned<ulong>(_file + at),
            GgufKind.Int64 => Unsafe.ReadUnaligned<long>(_file + at),
            GgufKind.Float64 => Unsafe.ReadUnaligned<double>(_file + at),
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "is no number"),
        };

    private void ReadEntry()
    {
        var key = Text(ref _at, "a metadata entry's name");
        var kind = Kind(key);
        long? count = null;
        if (kind == GgufKind.Array)
        {
            kind = Kind(key);
            if (kind == GgufKind.Array)
            {
                throw Fault(key, "is an array of arrays, which no file has");
            }

            count = Count(key, kind == GgufKind.Text ? 8 : GgufValue.Size(kind));
        }

        if (!Metadata.TryAdd(key, new GgufValue(kind, count, _at)))
        {
            throw Fault(key, "is given twice");
        }

        if (kind == GgufKind.Text)
        {
            for (var i = 0L; i < (count ?? 1); i++)
            {
                Skip(Length(ref _at, key), key);
            }
        }
        else
        {
            Skip((count ?? 1) * GgufValue.Size(kind), key);
        }
    }

    private void ReadTensors(long count)
    {
        var infos = new List<(string Name, long[] Shape, uint Type, ulong Offset)>();
        for (var i = 0L; i < count; i++)
        {
            var name = Text(ref _at, "a tensor's name");
            var dimensions = Read<uint>(name);
            if (dimensions > MostDimensions)
            {
                throw Fault(name, $"has {dimensions} dimensions; at most {MostDimensions} are read");
            }

            var shape = new long[dimensions];
            for (var d = (int)dimensions - 1; d >= 0; d--) // The fastest comes first
            {
                var size = Read<ulong>(name);
                shape[d] = size <= long.MaxValue ? (long)size : throw Fault(name, "has a size beyond any memory");
            }

            infos.Add((name, shape, Read<uint>(name), Read<ulong>(name)));
        }

        var alignment = DataAlignment();
        var start = (_at + alignment - 1) / alignment * alignment;
        foreach (var (name, shape, type, offset) in infos)
        {
            if (!Places.TryAdd(name, PlaceOf(name, shape, type, offset, start, alignment)))
            {
                throw Fault(name, "is given twice");
            }
        }

        RequireApart();
    }

    private long DataAlignment()
    {
        if (!Metadata.TryGetValue(Alignment, out var entry))
        {
            return 32;
        }

        var value = entry is { Kind: GgufKind.UInt32, Count: null } ? (long)Number(entry.Kind, entry.At) : -1;
        return value is > 0 and <= 1 << 20 && BitOperations.IsPow2(value)
            ? value
            : throw Fault(Alignment, "is no power of two up to a million, stored in 32 bits");
    }

    private Place PlaceOf(string name, long[] shape, uint code, ulong offset, long start, long alignment)
    {
        if (!GgufType.All.TryGetValue(code, out var type))
        {
            throw Fault(name, GgufType.WhyNot(code));
        }

        var row = shape.Length == 0 ? 1 : shape[^1];
        if (row % type.Elements != 0)
        {
            throw Fault(name, $"has rows of {row}, which is no multiple of the {type.Elements} elements of a {type.Name} block");
        }

        var decoded = type.Plain ?? ElementType.Of(TorchSharp.torch.ScalarType.Float32);
        var entry = new TensorEntry(name, decoded, shape) { Packed = type.Packed };
        long bytes;
        try
        {
            bytes = entry.Bytes;
            _ = checked(entry.Elements * sizeof(float));
        }
        catch (OverflowException e)
        {
            throw new CheckpointException(_name, name, $"shape [{string.Join(", ", shape)}] is beyond any memory", e);
        }

        if (offset % (ulong)alignment != 0)
        {
            throw Fault(name, $"begins at {offset}, which is no multiple of the file's alignment of {alignment}");
        }

        var room = Math.Max(0, _size - start);
        if (offset > (ulong)room || bytes > room - (long)offset)
        {
            throw Fault(name, $"needs {bytes} bytes from {offset} on, and the file has {room} of data; it is cut short");
        }

        return new Place(entry, type, start + (long)offset);
    }

    private void RequireApart()
    {
        long end = 0;
        var before = "";
        foreach (var place in Places.Values.Where(place => place.Entry.Bytes > 0).OrderBy(place => place.Begin))
        {
            if (place.Begin < end)
            {
                throw Fault(place.Entry.Name, $"overlaps {before}");
            }

            (end, before) = (place.Begin + place.Entry.Bytes, place.Entry.Name);
        }
    }

    private GgufKind Kind(string key) =>
        Read<uint>(key) is <= (uint)GgufKind.Float64 and var kind ? (GgufKind)kind : throw Fault(key, "is of a kind that is unknown");

    /// <summary>How many things follow, each of at least so many bytes.</summary>
    private long Count(string what, int least)
    {
        var count = Read<ulong>(what);
        return count <= (ulong)((_size - _at) / least)
            ? (long)count
            : throw Fault(what, $"is given as {count}, more than the file's {_size} bytes can hold; it is cut short or damaged");
    }

    private long Length(ref long at, string what)
    {
        if (_size - at < sizeof(ulong))
        {
            throw CutShort(what);
        }

        var length = Unsafe.ReadUnaligned<ulong>(_file + at);
        at += sizeof(ulong);
        return length <= (ulong)(_size - at) ? (long)length : throw CutShort(what);
    }

    private string Text(ref long at, string what)
    {
        var length = Length(ref at, what);
        if (length > ushort.MaxValue)
        {
            throw Fault(what, $"has {length} bytes; at most {ushort.MaxValue} are read");
        }

        try
        {
            var text = Strict.GetString(_file + at, (int)length);
            at += length;
            return text;
        }
        catch (DecoderFallbackException e)
        {
            throw new CheckpointException(_name, what, "is not Unicode", e);
        }
    }

    private T Read<T>(string what)
        where T : unmanaged
    {
        if (_size - _at < sizeof(T))
        {
            throw CutShort(what);
        }

        var value = Unsafe.ReadUnaligned<T>(_file + _at);
        _at += sizeof(T);
        return value;
    }

    private void Skip(long bytes, string what)
    {
        if (bytes > _size - _at)
        {
            throw CutShort(what);
        }

        _at += bytes;
    }

    private CheckpointException CutShort(string what) => Fault(what, "reaches past the end of the file; it is cut short or damaged");

    private CheckpointException Fault(string field, string reason) => new(_name, field, reason);
}
