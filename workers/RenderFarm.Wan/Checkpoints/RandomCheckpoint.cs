using System.Text.Json;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Checkpoints;

/// <summary>
/// Writes a checkpoint of random weights, tensor by tensor, drawn on all cores: memory for the largest tensor, or for two GiB of
/// smaller ones, whatever the model. A tensor's values depend on the seed, its name and its shape only, so order, cores and sharding
/// change nothing.
/// </summary>
public sealed class RandomCheckpoint(long seed, Action<long> bytesWritten)
{
    /// <summary>Elements drawn at once in float32.</summary>
    private const long Piece = 1 << 24;

    /// <summary>Of tensors that are drawn before they are written.</summary>
    private const long AheadBytes = 2L << 30;

    /// <summary>Published checkpoints are cut near ten gigabytes.</summary>
    public const long ShardBytes = 9_900_000_000;

    /// <param name="path">The file, or with several shards the name that <c>-00001-of-00006</c> goes into.</param>
    /// <param name="salt">Tells checkpoints of equal layout apart: the two experts of an A14B model.</param>
    /// <returns>The files written.</returns>
    public IReadOnlyList<string> Write(
        string path,
        IReadOnlyList<ExpectedTensor> tensors,
        ElementType type,
        string salt = "",
        long shardBytes = ShardBytes
    )
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var shards = Shards(tensors, type, shardBytes);
        var files = shards.Select((_, i) => shards.Count == 1 ? path : ShardName(path, i + 1, shards.Count)).ToList();
        for (var i = 0; i < shards.Count; i++)
        {
            using var writer = new SafetensorsWriter(
                files[i],
                shards[i].Select(t => new TensorEntry(t.Name, type, t.Shape)),
                new Dictionary<string, string> { ["format"] = "pt" }
            );
            InOrder(
                shards[i],
                type,
                salt,
                (tensor, values) =>
                {
                    writer.Write(tensor.Name, values);
                    bytesWritten(tensor.Elements * type.Bytes);
                }
            );
            writer.Complete();
        }
        if (shards.Count > 1)
        {
            WriteIndex(path + ".index.json", shards, files, type);
        }

        return files;
    }

    private void InOrder(IReadOnlyList<ExpectedTensor> tensors, ElementType type, string salt, Action<ExpectedTensor, Tensor> write)
    {
        var drawing = new Queue<(ExpectedTensor Tensor, Task<Tensor> Values)>();
        var threads = get_num_threads();
        set_num_threads(1); // Each tensor keeps to its own core
        try
        {
            var (next, bytes) = (0, 0L);
            while (next < tensors.Count || drawing.Count > 0)
            {
                while (next < tensors.Count && (drawing.Count == 0 || drawing.Count < threads && bytes < AheadBytes))
                {
                    var tensor = tensors[next++];
                    bytes += tensor.Elements * type.Bytes;
                    drawing.Enqueue((tensor, Task.Run(() => Draw(tensor, type.ScalarType, salt))));
                }

                var (first, drawn) = drawing.Dequeue();
                using var values = drawn.GetAwaiter().GetResult();
                write(first, values);
                bytes -= first.Elements * type.Bytes;
            }
        }
        finally
        {
            foreach (var (_, drawn) in drawing)
            {
                Task.WaitAny(drawn);
                if (drawn.IsCompletedSuccessfully)
                {
                    drawn.Result.Dispose();
                }
            }

            set_num_threads(threads);
        }
    }

    private Tensor Draw(ExpectedTensor tensor, ScalarType type, string salt)
    {
        var spread = RandomInitializer.For(tensor);
        using var generator = new Generator(RandomInitializer.SeedOf(seed, salt + tensor.Name), CPU);
        using var scope = NewDisposeScope();
        var values = empty([.. tensor.Shape], dtype: type);
        var flat = values.view(-1);
        for (long at = 0; at < tensor.Elements; at += Piece)
        {
            using var piece = NewDisposeScope();
            var count = Math.Min(Piece, tensor.Elements - at);
            flat.narrow(0, at, count)
                .copy_(randn([count], dtype: ScalarType.Float32, generator: generator).mul_(spread.Deviation).add_(spread.Mean));
        }
        return values.DetachFromDisposeScope();
    }

    private static List<List<ExpectedTensor>> Shards(IReadOnlyList<ExpectedTensor> tensors, ElementType type, long shardBytes)
    {
        var shards = new List<List<ExpectedTensor>> { new() };
        long filled = 0;
        foreach (var tensor in tensors)
        {
            var bytes = tensor.Elements * type.Bytes;
            if (filled > 0 && filled + bytes > shardBytes)
            {
                shards.Add([]);
                filled = 0;
            }
            shards[^1].Add(tensor);
            filled += bytes;
        }
        return shards;
    }

    private static string ShardName(string path, int number, int of) =>
        Path.ChangeExtension(path, null) + $"-{number:00000}-of-{of:00000}{Path.GetExtension(path)}";

    private static void WriteIndex(string path, List<List<ExpectedTensor>> shards, List<string> files, ElementType type)
    {
        using var stream = File.Create(path);
        using var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        json.WriteStartObject("metadata");
        json.WriteNumber("total_size", shards.SelectMany(s => s).Sum(t => t.Elements) * type.Bytes);
        json.WriteEndObject();
        json.WriteStartObject("weight_map");
        foreach (var (shard, file) in shards.Zip(files))
        {
            foreach (var tensor in shard)
            {
                json.WriteString(tensor.Name, Path.GetFileName(file));
            }
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
