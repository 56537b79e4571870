using System.Text;

namespace RenderFarm.Testing.Checkpoints;

/// <summary>Writes GGUF files, right ones and ones that lie: what is given is written, whatever it is.</summary>
public sealed class GgufWriter
{
    private readonly List<Action<BinaryWriter>> _entries = [];
    private readonly List<(string Name, ulong[] Dimensions, uint Type, byte[] Data)> _tensors = [];

    public uint Version { get; set; } = 3;
    public uint Alignment { get; set; } = 32;

    /// <summary>In place of how many there are.</summary>
    public ulong? TensorCount { get; set; }

    public GgufWriter With(string key, string text) => Entry(key, 8, file => Text(file, text));

    public GgufWriter With(string key, uint number) => Entry(key, 4, file => file.Write(number));

    public GgufWriter With(string key, bool on) => Entry(key, 7, file => file.Write(on));

    public GgufWriter With(string key, IReadOnlyList<string> texts) =>
        Array(
            key,
            8,
            (ulong)texts.Count,
            file =>
            {
                foreach (var text in texts)
                {
                    Text(file, text);
                }
            }
        );

    public GgufWriter With(string key, IReadOnlyList<float> numbers) =>
        Array(key, 6, (ulong)numbers.Count, file => Each(numbers, file.Write));

    public GgufWriter With(string key, IReadOnlyList<int> numbers) =>
        Array(key, 5, (ulong)numbers.Count, file => Each(numbers, file.Write));

    /// <summary>Elements of a kind, as many as are said to be there.</summary>
    public GgufWriter Array(string key, uint kind, ulong count, Action<BinaryWriter> elements) =>
        Entry(
            key,
            9,
            file =>
            {
                file.Write(kind);
                file.Write(count);
                elements(file);
            }
        );

    /// <param name="shape">In torch's order; the file has it the other way round.</param>
    public GgufWriter Tensor(string name, IReadOnlyList<long> shape, uint type, byte[] data)
    {
        _tensors.Add((name, [.. shape.Reverse().Select(size => (ulong)size)], type, data));
        return this;
    }

    /// <param name="offset">Of a tensor's data in place of its own, by its number.</param>
    public byte[] Build(Func<int, ulong, ulong>? offset = null)
    {
        using var bytes = new MemoryStream();
        using var file = new BinaryWriter(bytes);
        file.Write("GGUF"u8);
        file.Write(Version);
        file.Write(TensorCount ?? (ulong)_tensors.Count);
        file.Write((ulong)_entries.Count);
        _entries.ForEach(entry => entry(file));
        ulong at = 0;
        for (var i = 0; i < _tensors.Count; i++)
        {
            var (name, dimensions, type, data) = _tensors[i];
            Text(file, name);
            file.Write((uint)dimensions.Length);
            Each(dimensions, file.Write);
            file.Write(type);
            file.Write(offset?.Invoke(i, at) ?? at);
            at += ((ulong)data.Length + Alignment - 1) / Alignment * Alignment;
        }

        foreach (var (_, _, _, data) in _tensors)
        {
            Pad(file);
            file.Write(data);
        }

        Pad(file);
        return bytes.ToArray();
    }

    private GgufWriter Entry(string key, uint kind, Action<BinaryWriter> value)
    {
        _entries.Add(file =>
        {
            Text(file, key);
            file.Write(kind);
            value(file);
        });
        return this;
    }

    private void Pad(BinaryWriter file)
    {
        while (file.BaseStream.Position % Alignment != 0)
        {
            file.Write((byte)0);
        }
    }

    private static void Text(BinaryWriter file, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        file.Write((ulong)bytes.Length);
        file.Write(bytes);
    }

    private static void Each<T>(IEnumerable<T> values, Action<T> write)
    {
        foreach (var value in values)
        {
            write(value);
        }
    }
}
