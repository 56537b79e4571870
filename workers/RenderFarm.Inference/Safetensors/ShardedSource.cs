using static TorchSharp.torch;

namespace RenderFarm.Inference.Safetensors;

/// <summary>Several files that together hold one model. Owns them.</summary>
public sealed class ShardedSource : ITensorSource
{
    private readonly IReadOnlyList<ITensorSource> _shards;
    private readonly Dictionary<string, ITensorSource> _homes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorEntry> _entries = new(StringComparer.Ordinal);

    /// <exception cref="CheckpointException">A tensor is in two shards.</exception>
    public ShardedSource(IReadOnlyList<ITensorSource> shards)
    {
        ArgumentOutOfRangeException.ThrowIfZero(shards.Count, nameof(shards));
        _shards = shards;
        foreach (var shard in shards)
        {
            foreach (var (name, entry) in shard.Entries)
            {
                if (!_homes.TryAdd(name, shard))
                {
                    throw new CheckpointException(shard.Name, name, $"is also in {_homes[name].Name}");
                }

                _entries.Add(name, entry);
            }
        }
    }

    public string Name => _shards.Count == 1 ? _shards[0].Name : $"{_shards[0].Name} and {_shards.Count - 1} more";

    public IReadOnlyDictionary<string, TensorEntry> Entries => _entries;

    public bool LoadsInParallel => _shards.All(shard => shard.LoadsInParallel);

    /// <summary>Of all shards; the first one's where they differ.</summary>
    public IReadOnlyDictionary<string, string> Metadata =>
        _shards.SelectMany(shard => shard.Metadata).DistinctBy(pair => pair.Key).ToDictionary(StringComparer.Ordinal);

    public nint? AddressOf(string name) => _homes.GetValueOrDefault(name)?.AddressOf(name);

    public Tensor Load(string name) =>
        _homes.TryGetValue(name, out var shard) ? shard.Load(name) : throw new CheckpointException(Name, name, "there is no such tensor");

    public Tensor LoadRows(string name, IReadOnlyList<long> rows) =>
        _homes.TryGetValue(name, out var shard)
            ? shard.LoadRows(name, rows)
            : throw new CheckpointException(Name, name, "there is no such tensor");

    public void Dispose()
    {
        foreach (var shard in _shards)
        {
            shard.Dispose();
        }
    }
}
