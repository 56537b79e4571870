using System.IO.Compression;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// A <c>.pth</c> file: a zip of a pickle, which says what tensors there are, and one file of bytes per storage.
/// The pickle is read as data, see <see cref="PickleReader"/>.
/// </summary>
public sealed class PthFile : ITensorSource
{
    /// <summary>Hundreds of times what the largest model's names and shapes take. An object of the pickle may be two bytes of it.</summary>
    private const long MaxPickleBytes = 8 << 20;
    private static readonly string[] Wrappers = ["state_dict", "model_state", "model"];

    private readonly ZipArchive _archive;
    private readonly string _root;
    private readonly Dictionary<string, PickleReader.TensorView> _views = new(StringComparer.Ordinal);

    private PthFile(string path, ZipArchive archive)
    {
        (Name, _archive) = (path, archive);
        var pickles = archive.Entries.Where(entry => entry.Name == "data.pkl").ToList();
        if (pickles.Count != 1)
        {
            throw new CheckpointException(
                path,
                "archive",
                $"holds {pickles.Count} entries 'data.pkl' instead of one; is this a torch checkpoint?"
            );
        }

        _root = pickles[0].FullName[..^"data.pkl".Length];
        if (archive.GetEntry(_root + "byteorder") is { } order && !Text(order).StartsWith("little", StringComparison.Ordinal))
        {
            throw new CheckpointException(path, "byteorder", "only little-endian files are read");
        }

        long data = 0;
        var counted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, view) in StateDictionary(PickleReader.Read(Bytes(pickles[0]), path)))
        {
            Require(name, view);
            _views.Add(name, view);
            if (counted.Add(view.Storage.Key))
            {
                data = checked(data + (view.Storage.Elements * view.Storage.Type.Bytes));
            }
        }
        var size = LinkedFile.Of(path).Length;
        if (data > size)
        {
            throw new CheckpointException(path, "archive", $"its tensors claim {data} bytes in a file of {size}");
        }

        Entries = _views.ToDictionary(
            pair => pair.Key,
            pair => new TensorEntry(pair.Key, pair.Value.Storage.Type, pair.Value.Shape),
            StringComparer.Ordinal
        );
    }

    /// <exception cref="CheckpointException">Missing, not an archive, or with anything in it but tensors.</exception>
    public static PthFile Open(string path)
    {
        ZipArchive? archive = null;
        try
        {
            archive = ZipFile.OpenRead(path);
            return new PthFile(path, archive);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            archive?.Dispose();
            throw CheckpointException.Unreadable(path, e);
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException or NotSupportedException or OverflowException)
        {
            archive?.Dispose();
            throw new CheckpointException(path, "archive", "is not a whole zip archive; files of torch before 1.6 are not read", e);
        }
        catch
        {
            archive?.Dispose();
            throw;
        }
    }

    public string Name { get; }

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; }

    public bool LoadsInParallel => true;

    public Tensor Load(string name)
    {
        if (!_views.TryGetValue(name, out var view))
        {
            throw new CheckpointException(Name, name, "there is no such tensor");
        }

        using var scope = NewDisposeScope();
        var storage = empty(view.Storage.Elements, dtype: view.Storage.Type.ScalarType);
        lock (_archive) // It reads through one stream
        {
            Fill(name, storage, DataOf(view.Storage)!);
        }

        var tensor = storage.as_strided(view.Shape, view.Strides, view.Offset).contiguous();
        return tensor.DetachFromDisposeScope();
    }

    public void Dispose() => _archive.Dispose();

    /// <summary>The tensors at the top, or one level down where a checkpoint wraps them.</summary>
    private IEnumerable<(string Name, PickleReader.TensorView View)> StateDictionary(object? root)
    {
        if (root is not Dictionary<object, object?> dictionary)
        {
            throw new CheckpointException(Name, "pickle", "does not hold a dictionary of tensors");
        }

        if (
            !dictionary.Values.Any(value => value is PickleReader.TensorView)
            && Wrappers.Select(key => dictionary.GetValueOrDefault(key)).OfType<Dictionary<object, object?>>().FirstOrDefault() is { } inner
        )
        {
            dictionary = inner;
        }

        foreach (var (key, value) in dictionary)
        {
            if (key is string name && value is PickleReader.TensorView view)
            {
                yield return (name, view);
            }
        }
    }

    /// <summary>The view lies within its storage, and the storage within the archive: libtorch doesn't check where strides lead.</summary>
    private void Require(string name, PickleReader.TensorView view)
    {
        var (storage, offset, shape, strides) = view;
        try
        {
            var sound =
                shape.Length == strides.Length
                && offset >= 0
                && storage.Elements >= 0
                && shape.All(size => size >= 0)
                && strides.All(stride => stride >= 0);
            var none = sound && shape.Contains(0);
            var last =
                sound && !none ? shape.Zip(strides).Aggregate(offset, (sum, axis) => checked(sum + (axis.First - 1) * axis.Second)) : 0;
            if (!sound || !none && last >= storage.Elements)
            {
                throw new CheckpointException(
                    Name,
                    name,
                    $"shape [{string.Join(", ", shape)}], strides [{string.Join(", ", strides)}] and offset {offset} lead out of its "
                        + $"{storage.Elements} elements"
                );
            }

            if (sound && !none && shape.Aggregate(1L, (product, length) => checked(product * length)) > storage.Elements)
            {
                throw new CheckpointException(
                    Name,
                    name,
                    $"[{string.Join(", ", shape)}] repeats the {storage.Elements} elements it has; nothing that was trained does"
                );
            }

            var entry = DataOf(storage);
            if (entry is not null && entry.CompressedLength != entry.Length)
            {
                throw new CheckpointException(
                    Name,
                    name,
                    $"its data 'data/{storage.Key}' is compressed ({entry.CompressedLength} bytes for {entry.Length}); torch stores "
                        + "tensors as they are"
                );
            }

            var have = entry?.Length ?? throw new CheckpointException(Name, name, $"its data 'data/{storage.Key}' is not in the archive");
            if (have != checked(storage.Elements * storage.Type.Bytes))
            {
                throw new CheckpointException(
                    Name,
                    name,
                    $"its data 'data/{storage.Key}' has {have} bytes instead of {storage.Elements * storage.Type.Bytes}"
                );
            }
        }
        catch (OverflowException e)
        {
            throw new CheckpointException(Name, name, $"shape [{string.Join(", ", shape)}] is beyond any memory", e);
        }
    }

    private void Fill(string name, Tensor storage, ZipArchiveEntry entry)
    {
        try
        {
            using var data = entry.Open();
            TensorMemory.Fill(storage, data);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new CheckpointException(Name, name, $"its data '{entry.FullName}' is damaged ({e.Message})", e);
        }
    }

    private ZipArchiveEntry? DataOf(PickleReader.Storage storage) => _archive.GetEntry($"{_root}data/{storage.Key}");

    private byte[] Bytes(ZipArchiveEntry entry)
    {
        if (entry.Length > MaxPickleBytes)
        {
            throw new CheckpointException(Name, entry.Name, $"has {entry.Length} bytes; at most {MaxPickleBytes} are read");
        }

        var bytes = new byte[entry.Length];
        using var stream = entry.Open();
        stream.ReadExactly(bytes); // What lies beyond the length that it gives is not read
        return bytes;
    }

    private string Text(ZipArchiveEntry entry) => System.Text.Encoding.ASCII.GetString(Bytes(entry));
}
