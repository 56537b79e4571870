using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Loras;

/// <summary>A LoRA to apply: a file that belongs to the set from then on.</summary>
public sealed record NamedLora(string Name, double Strength, ITensorSource Source);

/// <summary>A product B·A that counts <paramref name="Scale"/> times.</summary>
/// <param name="Down">A's key in the file.</param>
/// <param name="Up">B's key.</param>
public sealed record LowRankChange(ITensorSource Source, string Down, string Up, double Scale);

/// <summary>A tensor that is added <paramref name="Scale"/> times.</summary>
public sealed record DirectChange(ITensorSource Source, string Key, double Scale);

/// <summary>All that happens to one tensor of the model.</summary>
public sealed record TensorChanges(IReadOnlyList<LowRankChange> LowRank, IReadOnlyList<DirectChange> Direct);

/// <summary>
/// Several LoRAs resolved onto one DiT: which of its tensors change, and by what. Everything is checked before anything is
/// loaded. Owns the files.
/// </summary>
public sealed class LoraSet : IDisposable
{
    private readonly IReadOnlyList<NamedLora> _loras;

    private LoraSet(IReadOnlyList<NamedLora> loras, IReadOnlyDictionary<string, TensorChanges> changes, IReadOnlyList<string> notes) =>
        (_loras, Changes, Notes) = (loras, changes, notes);

    /// <summary>By the tensor's name in the original layout.</summary>
    public IReadOnlyDictionary<string, TensorChanges> Changes { get; }

    /// <summary>For the user: keys that this model has no place for.</summary>
    public IReadOnlyList<string> Notes { get; }

    public bool IsEmpty => Changes.Count == 0;

    /// <param name="loras">Taken over.</param>
    /// <exception cref="CheckpointException">A LoRA is for another architecture, damaged or of an unsupported kind; names it.</exception>
    public static LoraSet Resolve(IReadOnlyList<NamedLora> loras, TransformerShape shape)
    {
        try
        {
            var targets = new LoraTargets(shape);
            var lowRank = new Dictionary<string, List<LowRankChange>>(StringComparer.Ordinal);
            var direct = new Dictionary<string, List<DirectChange>>(StringComparer.Ordinal);
            var notes = loras.Select(lora => new Reader(lora, targets, lowRank, direct).Read()).OfType<string>().ToList();
            var changes = lowRank
                .Keys.Union(direct.Keys)
                .ToDictionary(
                    name => name,
                    name => new TensorChanges(lowRank.GetValueOrDefault(name) ?? [], direct.GetValueOrDefault(name) ?? []),
                    StringComparer.Ordinal
                );
            return new LoraSet(loras, changes, notes);
        }
        catch
        {
            foreach (var lora in loras)
            {
                lora.Source.Dispose();
            }

            throw;
        }
    }

    public void Dispose()
    {
        foreach (var lora in _loras)
        {
            lora.Source.Dispose();
        }
    }

    private sealed class Reader(
        NamedLora lora,
        LoraTargets targets,
        Dictionary<string, List<LowRankChange>> lowRank,
        Dictionary<string, List<DirectChange>> direct
    )
    {
        private readonly ITensorSource _source = lora.Source;
        private readonly List<string> _unknown = [];
        private int _applied;

        /// <returns>What to tell the user, or null.</returns>
        public string? Read()
        {
            var modules = _source.Entries.Values.Select(entry => (Entry: entry, Split: LoraKeys.Split(entry.Name))).ToList();
            _unknown.AddRange(modules.Where(part => part.Split is null).Select(part => part.Entry.Name));
            foreach (var module in modules.Where(part => part.Split is not null).GroupBy(part => part.Split!.Value.Module))
            {
                Module(module.Key, [.. module.Select(part => (part.Entry, part.Split!.Value.Part))]);
            }

            if (_applied == 0)
            {
                throw Refused(
                    _unknown.FirstOrDefault() ?? "keys",
                    $"none of its {_source.Entries.Count} tensors belongs to this model: it is for another architecture"
                );
            }

            return _unknown.Count == 0
                ? null
                : $"LoRA '{lora.Name}': {_unknown.Count} of its tensors have no place in this model and had no effect "
                    + $"({string.Join(", ", _unknown.Take(3))}{(_unknown.Count > 3 ? ", …" : "")})";
        }

        private void Module(string module, IReadOnlyList<(TensorEntry Entry, LoraPart Part)> parts)
        {
            TensorEntry? One(LoraPart part) => parts.Where(p => p.Part == part).Select(p => p.Entry).FirstOrDefault();
            if (One(LoraPart.Unsupported) is { } foreign)
            {
                throw Refused(foreign.Name, "is of a DoRA, LoHa or LoKr, which are not applied; a plain LoRA is");
            }

            var (down, up) = (One(LoraPart.Down), One(LoraPart.Up));
            if ((down is null) != (up is null))
            {
                throw Refused(
                    (down ?? up)!.Name,
                    $"has no {(down is null ? "way down (lora_A)" : "way up (lora_B)")} beside it; is the file whole?"
                );
            }

            if (down is not null)
            {
                Pair(module, down, up!, One(LoraPart.Alpha));
            }

            foreach (var (entry, part) in parts.Where(p => p.Part is LoraPart.Difference or LoraPart.BiasDifference))
            {
                Difference(module, entry, part);
            }
        }

        private void Pair(string module, TensorEntry down, TensorEntry up, TensorEntry? alpha)
        {
            if (targets.Find(module, LoraPart.Down) is not { } target)
            {
                _unknown.Add(down.Name);
                return;
            }
            var rank = down.Shape.Count > 0 ? down.Shape[0] : 0;
            var fits =
                rank > 0
                && up.Shape.Count >= 2
                && up.Elements == target.Shape[0] * rank
                && up.Shape[0] == target.Shape[0]
                && down.Elements == rank * target.FanIn;
            if (!fits)
            {
                throw Refused(
                    down.Name,
                    $"[{string.Join(", ", down.Shape)}] and [{string.Join(", ", up.Shape)}] don't make [{string.Join(", ", target.Shape)}] "
                        + $"of {target.Name}: it is for another architecture"
                );
            }

            Add(
                lowRank,
                target.Name,
                new LowRankChange(_source, down.Name, up.Name, lora.Strength * (alpha is null ? 1 : Number(alpha) / rank))
            );
        }

        private void Difference(string module, TensorEntry entry, LoraPart part)
        {
            if (targets.Find(module, part) is not { } target)
            {
                _unknown.Add(entry.Name);
                return;
            }
            if (entry.Elements != target.Elements)
            {
                throw Refused(
                    entry.Name,
                    $"[{string.Join(", ", entry.Shape)}] is to be added to [{string.Join(", ", target.Shape)}] of {target.Name}: it is for "
                        + "another architecture"
                );
            }

            Add(direct, target.Name, new DirectChange(_source, entry.Name, lora.Strength));
        }

        private void Add<T>(Dictionary<string, List<T>> to, string tensor, T change)
        {
            _applied++;
            if (!to.TryGetValue(tensor, out var list))
            {
                to.Add(tensor, list = []);
            }

            list.Add(change);
        }

        private double Number(TensorEntry entry)
        {
            if (entry.Elements != 1)
            {
                throw Refused(entry.Name, $"[{string.Join(", ", entry.Shape)}] is no single number");
            }

            using var stored = _source.Load(entry.Name);
            using var exact = stored.to(ScalarType.Float64).reshape(1);
            var value = exact.item<double>();
            return double.IsFinite(value) ? value : throw Refused(entry.Name, $"is {value}");
        }

        private CheckpointException Refused(string field, string why) => new($"LoRA '{lora.Name}' ({_source.Name})", field, why);
    }
}
