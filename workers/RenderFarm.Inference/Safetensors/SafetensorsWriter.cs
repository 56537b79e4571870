using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace RenderFarm.Inference.Safetensors;

/// <summary>
/// Writes a safetensors file tensor by tensor, so that a 27 GB model needs the memory of its largest tensor only.
/// All entries are declared first (the header comes before the data), then each is written once, in any order.
/// The file has its name only after <see cref="Complete"/>; until then it is <c>NAME.part</c>.
/// </summary>
public sealed class SafetensorsWriter : IDisposable
{
    private readonly string _path;
    private readonly FileStream _stream;
    private readonly Dictionary<string, (TensorEntry Entry, long Position)> _pending = new(StringComparer.Ordinal);

    public SafetensorsWriter(string path, IEnumerable<TensorEntry> entries, IReadOnlyDictionary<string, string>? metadata = null)
    {
        _path = path;
        // Widest elements first: every tensor then starts at a multiple of its element size
        var ordered = entries.OrderByDescending(entry => entry.Type.Bytes).ToList();
        var header = Header(ordered, metadata);
        long position = 8 + header.Length;
        foreach (var entry in ordered)
        {
            if (!_pending.TryAdd(entry.Name, (entry, position)))
            {
                throw new ArgumentException($"'{entry.Name}' is declared twice", nameof(entries));
            }

            position += entry.Bytes;
        }

        _stream = new FileStream(Part, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20);
        _stream.SetLength(position);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        _stream.Write(length);
        _stream.Write(header);
    }

    private string Part => _path + ".part";

    /// <param name="tensor">Any device; shape and type as declared.</param>
    public unsafe void Write(string name, Tensor tensor)
    {
        using var scope = NewDisposeScope();
        var entry = Declared(name).Entry;
        if (!tensor.shape.SequenceEqual(entry.Shape) || tensor.dtype != entry.Type.ScalarType)
        {
            throw new ArgumentException(
                $"'{name}' was declared as {entry} and is {tensor.dtype} [{string.Join(", ", tensor.shape)}]",
                nameof(tensor)
            );
        }

        if (entry.Bytes == 0)
        {
            _pending.Remove(name);
            return;
        }
        var host = tensor.detach().cpu().contiguous();
        Write(name, TensorMemory.Address(host), entry.Bytes);
    }

    public unsafe void Write(string name, ReadOnlySpan<byte> bytes)
    {
        var entry = Declared(name).Entry;
        if (bytes.Length != entry.Bytes)
        {
            throw new ArgumentException($"'{name}' needs {entry.Bytes} bytes and got {bytes.Length}", nameof(bytes));
        }

        fixed (byte* start = bytes)
        {
            Write(name, start, bytes.Length);
        }
    }

    /// <summary>Every declared tensor has been written: the file takes its name.</summary>
    public void Complete()
    {
        if (_pending.Count > 0)
        {
            throw new InvalidOperationException(
                $"{_pending.Count} declared tensors were not written, the first is '{_pending.Keys.First()}'"
            );
        }

        _stream.Dispose();
        File.Move(Part, _path, overwrite: true);
    }

    /// <summary>Without <see cref="Complete"/> before it, nothing is left behind.</summary>
    public void Dispose()
    {
        _stream.Dispose();
        File.Delete(Part);
    }

    private (TensorEntry Entry, long Position) Declared(string name) =>
        _pending.TryGetValue(name, out var declared)
            ? declared
            : throw new ArgumentException($"'{name}' was not declared, or is already written", nameof(name));

    private unsafe void Write(string name, byte* start, long bytes)
    {
        const int Piece = 1 << 30;
        _stream.Position = Declared(name).Position;
        for (long at = 0; at < bytes; at += Piece)
        {
            _stream.Write(new ReadOnlySpan<byte>(start + at, (int)Math.Min(Piece, bytes - at)));
        }

        _pending.Remove(name);
    }

    private static byte[] Header(List<TensorEntry> entries, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata)
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }
            long at = 0;
            foreach (var entry in entries)
            {
                json.WriteStartObject(entry.Name);
                json.WriteString("dtype", entry.Type.Name);
                json.WriteStartArray("shape");
                foreach (var size in entry.Shape)
                {
                    json.WriteNumberValue(size);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += entry.Bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' '); // Keeps the data aligned
        }

        return buffer.ToArray();
    }
}
