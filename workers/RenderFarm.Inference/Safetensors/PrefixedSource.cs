using static TorchSharp.torch;

namespace RenderFarm.Inference.Safetensors;

/// <summary>
/// The tensors under a prefix, named without it: <c>model.diffusion_model.</c> of single-file checkpoints. Does not own the
/// source.
/// </summary>
public sealed class PrefixedSource(ITensorSource source, string prefix) : ITensorSource
{
    public string Name => source.Name;

    public IReadOnlyDictionary<string, TensorEntry> Entries { get; } =
        source
            .Entries.Values.Where(entry => entry.Name.StartsWith(prefix, StringComparison.Ordinal))
            .ToDictionary(
                entry => entry.Name[prefix.Length..],
                entry => entry with { Name = entry.Name[prefix.Length..] },
                StringComparer.Ordinal
            );

    public Tensor Load(string name) => source.Load(prefix + name);

    public Tensor LoadRows(string name, IReadOnlyList<long> rows) => source.LoadRows(prefix + name, rows);

    public void Dispose() { }
}
