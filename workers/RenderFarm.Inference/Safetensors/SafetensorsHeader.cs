using System.Buffers.Binary;
using System.Text.Json;

namespace RenderFarm.Inference.Safetensors;

/// <summary>
/// The front of a safetensors file: eight bytes of length, then JSON with a type, a shape and a byte range per tensor.
/// Nothing of it is trusted. The ranges must cover the data exactly, without holes or overlaps, so a file that was cut
/// short or patched is found here and not as noise in a video.
/// </summary>
internal sealed record SafetensorsHeader(
    long DataStart,
    IReadOnlyDictionary<string, string> Metadata,
    IReadOnlyDictionary<string, SafetensorsHeader.Place> Places
)
{
    /// <summary>The format's own limit.</summary>
    public const long MaxHeaderBytes = 100_000_000;

    /// <param name="Begin">Offset of the first byte, counted from the start of the data.</param>
    public sealed record Place(TensorEntry Entry, long Begin, long End);

    public static SafetensorsHeader Read(Stream stream, string file)
    {
        var size = stream.Length;
        if (size < 8)
        {
            throw Fault(file, "header", $"the file has {size} bytes; a safetensors file has at least 8");
        }

        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MaxHeaderBytes)
        {
            throw Fault(file, "header", $"its length is given as {length} bytes (at most {MaxHeaderBytes}); is this a safetensors file?");
        }

        if ((long)length > size - 8)
        {
            throw Fault(
                file,
                "header",
                $"its length is given as {length} bytes, but only {size - 8} follow; the file is cut short or of another format"
            );
        }

        var json = new byte[length];
        stream.ReadExactly(json);
        try
        {
            return Parse(json, 8 + (long)length, size, file);
        }
        catch (InvalidOperationException e)
        {
            // Half a surrogate pair, written as an escape
            throw new CheckpointException(file, "header", "holds text that is not Unicode", e);
        }
    }

    private static SafetensorsHeader Parse(byte[] json, long dataStart, long size, string file)
    {
        using var document = Document(json, file);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw Fault(file, "header", "is not a JSON object");
        }

        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var places = new Dictionary<string, Place>(StringComparer.Ordinal);
        var metadataSeen = false;
        foreach (var property in document.RootElement.EnumerateObject())
        {
            if (property.Name == "__metadata__")
            {
                if (metadataSeen)
                {
                    throw Fault(file, "__metadata__", "is given twice");
                }

                metadataSeen = true;
                ReadMetadata(property.Value, metadata, file);
                continue;
            }
            var place = ReadPlace(property.Name, property.Value, size - dataStart, file);
            if (!places.TryAdd(property.Name, place))
            {
                throw Fault(file, property.Name, "is given twice");
            }
        }
        RequireExactCover(places.Values, size - dataStart, file);
        return new SafetensorsHeader(dataStart, metadata, places);
    }

    private static JsonDocument Document(byte[] json, string file)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw new CheckpointException(file, "header", $"is not JSON ({e.Message})", e);
        }
    }

    private static void ReadMetadata(JsonElement element, Dictionary<string, string> metadata, string file)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Fault(file, "__metadata__", "is not a JSON object");
        }

        foreach (var property in element.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String)
            {
                throw Fault(file, "__metadata__", $"the value of '{property.Name}' is not a string");
            }

            if (!metadata.TryAdd(property.Name, property.Value.GetString()!))
            {
                throw Fault(file, "__metadata__", $"'{property.Name}' is given twice");
            }
        }
    }

    private static Place ReadPlace(string name, JsonElement element, long dataBytes, string file)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw Fault(file, name, "is not a JSON object");
        }

        JsonElement? dtype = null,
            shape = null,
            offsets = null;
        foreach (var property in element.EnumerateObject())
        {
            var twice = property.Name switch
            {
                "dtype" => Taken(ref dtype, property.Value),
                "shape" => Taken(ref shape, property.Value),
                "data_offsets" => Taken(ref offsets, property.Value),
                _ => throw Fault(file, name, $"has an unknown field '{property.Name}'"),
            };
            if (twice)
            {
                throw Fault(file, name, $"has '{property.Name}' twice");
            }
        }

        if (dtype is not { ValueKind: JsonValueKind.String })
        {
            throw Fault(file, name, "has no dtype");
        }

        var type =
            ElementType.Named(dtype.Value.GetString()!)
            ?? throw Fault(file, name, $"has dtype '{dtype.Value.GetString()}'; supported are {string.Join(", ", ElementType.All)}");
        var entry = new TensorEntry(name, type, Numbers(shape, "shape", name, file));
        var range = Numbers(offsets, "data_offsets", name, file);
        if (range.Length != 2)
        {
            throw Fault(file, name, $"data_offsets has {range.Length} numbers instead of 2");
        }

        long bytes;
        try
        {
            bytes = entry.Bytes;
        }
        catch (OverflowException e)
        {
            throw new CheckpointException(file, name, $"shape [{string.Join(", ", entry.Shape)}] is beyond any memory", e);
        }
        if (range[0] > range[1])
        {
            throw Fault(file, name, $"data_offsets [{range[0]}, {range[1]}] run backwards");
        }

        if (range[1] > dataBytes)
        {
            throw Fault(
                file,
                name,
                $"data_offsets [{range[0]}, {range[1]}] reach past the {dataBytes} bytes of data; the file is cut short"
            );
        }

        if (range[1] - range[0] != bytes)
        {
            throw Fault(file, name, $"data_offsets span {range[1] - range[0]} bytes, but its shape and dtype need {bytes}");
        }

        return new Place(entry, range[0], range[1]);
    }

    private static bool Taken(ref JsonElement? slot, JsonElement value)
    {
        if (slot is not null)
        {
            return true;
        }

        slot = value;
        return false;
    }

    private static long[] Numbers(JsonElement? element, string field, string name, string file)
    {
        if (element is not { ValueKind: JsonValueKind.Array } array)
        {
            throw Fault(file, name, $"has no {field}");
        }

        var numbers = new List<long>();
        foreach (var item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var number) || number < 0)
            {
                throw Fault(file, name, $"{field} holds '{item}'; whole numbers from 0 are allowed");
            }

            numbers.Add(number);
        }
        return [.. numbers];
    }

    private static void RequireExactCover(IEnumerable<Place> places, long dataBytes, string file)
    {
        long at = 0;
        var previous = "the start of the data";
        foreach (var place in places.OrderBy(place => place.Begin).ThenBy(place => place.End))
        {
            if (place.Begin < at)
            {
                throw Fault(file, place.Entry.Name, $"overlaps {previous}");
            }

            if (place.Begin > at)
            {
                throw Fault(file, place.Entry.Name, $"leaves a hole of {place.Begin - at} bytes after {previous}");
            }

            (at, previous) = (place.End, place.Entry.Name);
        }
        if (at != dataBytes)
        {
            throw Fault(file, "data", $"{dataBytes - at} bytes after {previous} belong to no tensor");
        }
    }

    private static CheckpointException Fault(string file, string field, string reason) => new(file, field, reason);
}
