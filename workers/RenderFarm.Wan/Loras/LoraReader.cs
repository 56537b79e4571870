using System.Globalization;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Checkpoints;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Loras;

/// <summary>
/// One adapter file resolved onto the tensors of a DiT: 1 keys taken apart and put together by module; 2 the factors of each module
/// made a change of its weight; 3 how often that counts, from the whole file; 4 whole tensors beside it.
/// </summary>
internal sealed class LoraReader
{
    private const string NoPlace = "have no place in this model and had no effect";
    private const string Misfit = "don't fit this model's and had no effect";
    private readonly NamedLora _lora;
    private readonly LoraTargets _targets;
    private readonly LoraNotes _notes;
    private readonly AlphaSources _header;
    private readonly Action<string, TensorChange> _change;
    private int _applied;

    /// <param name="change">Told what happens to a tensor of the model, by its original name.</param>
    public LoraReader(NamedLora lora, LoraTargets targets, Action<string, TensorChange> change)
    {
        (_lora, _targets, _change) = (lora, targets, change);
        _notes = new LoraNotes(lora.Name);
        _header = new AlphaSources(lora.Source.Metadata, _notes.Add);
    }

    /// <returns>What to tell the user.</returns>
    /// <exception cref="CheckpointException">Names the file and the key.</exception>
    public IEnumerable<string> Read()
    {
        // 1
        var keys = _lora
            .Source.Entries.Values.OrderBy(entry => entry.Name, StringComparer.Ordinal)
            .Select(entry => (Entry: entry, Key: LoraKeys.Split(entry.Name)))
            .ToList();
        var modules = keys.Where(part => part.Key is not null)
            .GroupBy(part => part.Key!.Value.Module)
            .Select(group => new Module(group.Key, [.. group.Select(part => (part.Entry, part.Key!.Value.Part))]))
            .ToList();
        var changed = modules.Where(module => module.Parts.Any(part => LoraKeys.IsFactor(part.Part))).Select(m => m.Name).ToHashSet();
        foreach (var (entry, _) in keys.Where(part => part.Key is null))
        {
            RequireBeside(entry.Name, changed);
            _notes.Of(NoPlace, entry.Name);
        }

        foreach (var module in modules)
        {
            Read(module);
        }

        if (_applied == 0 || _applied < _notes.Count(Misfit))
        {
            throw Refused(
                _notes.First(Misfit) ?? _notes.First(NoPlace) ?? "keys",
                _applied == 0
                    ? $"none of its {_lora.Source.Entries.Count} tensors belongs to this model: it is for another architecture"
                    : $"{_notes.Count(Misfit)} of its changes are of other sizes than this model's tensors, and {_applied} fit: it is for "
                        + "another architecture"
            );
        }

        return _notes.All;
    }

    /// <summary>A word beside a change that is not understood would leave the change another one than was trained.</summary>
    private void RequireBeside(string key, HashSet<string> changed)
    {
        for (var end = key.LastIndexOf('.'); end > 0; end = key.LastIndexOf('.', end - 1))
        {
            if (changed.Contains(key[..end]))
            {
                throw Refused(
                    key,
                    $"modifies the change of {key[..end]} in a way that is not understood; applied without it, it would be wrong"
                );
            }
        }
    }

    private void Read(Module module)
    {
        if (module.Parts.FirstOrDefault(part => part.Part == LoraPart.Unsupported) is { Entry: { } foreign })
        {
            throw Refused(foreign.Name, LoraKeys.WhyNot(foreign.Name));
        }

        if (module.Parts.GroupBy(part => part.Part).FirstOrDefault(part => part.Count() > 1) is { } twice)
        {
            throw Refused(
                twice.First().Entry.Name,
                $"is in it twice, as {twice.Skip(1).First().Entry.Name} too: the file holds several adapters; keep one of them"
            );
        }

        // 2
        if (Delta(module) is { } delta)
        {
            Change(module, delta);
        }
        else if ((One(module, LoraPart.Magnitude) ?? One(module, LoraPart.UpBias)) is { } alone)
        {
            throw Refused(alone.Key, "has no change of a weight beside it, to which it would belong; is the file whole?");
        }

        // 4
        foreach (var (entry, part) in module.Parts)
        {
            Whole(module, new AdapterTensor(_lora.Source, entry), part);
        }
    }

    private WeightDelta? Delta(Module module)
    {
        AdapterTensor? Of(LoraPart part) => One(module, part);
        AdapterTensor Needed(LoraPart part, string what, AdapterTensor beside) =>
            Of(part) ?? throw Refused(beside.Key, $"has no {what} beside it; is the file whole?");
        HadamardFactor Product(LoraPart a, LoraPart b, LoraPart core, string name, AdapterTensor any) =>
            new(Needed(a, name + "_a", any), Needed(b, name + "_b", any), Of(core));
        KroneckerFactor Factor(LoraPart whole, LoraPart a, LoraPart b, LoraPart? core, string name, AdapterTensor any) =>
            Of(whole) is { } stored
                ? new(stored, null, null, null)
                : new(null, Needed(a, $"{name} or {name}_a", any), Needed(b, name + "_b", any), core is { } c ? Of(c) : null);

        var kinds = new List<WeightDelta>();
        if ((Of(LoraPart.Down) ?? Of(LoraPart.Up) ?? Of(LoraPart.Core)) is { } pair)
        {
            kinds.Add(
                new PairDelta(
                    Needed(LoraPart.Down, "way down (lora_A)", pair),
                    Needed(LoraPart.Up, "way up (lora_B)", pair),
                    Of(LoraPart.Core)
                )
            );
        }

        if (Any(module, LoraPart.HadamardFirstA, LoraPart.HadamardSecondCore) is { } hadamard)
        {
            kinds.Add(
                new HadamardDelta(
                    Product(LoraPart.HadamardFirstA, LoraPart.HadamardFirstB, LoraPart.HadamardFirstCore, "hada_w1", hadamard),
                    Product(LoraPart.HadamardSecondA, LoraPart.HadamardSecondB, LoraPart.HadamardSecondCore, "hada_w2", hadamard)
                )
            );
        }

        if (Any(module, LoraPart.KroneckerFirst, LoraPart.KroneckerSecondCore) is { } kronecker)
        {
            kinds.Add(
                new KroneckerDelta(
                    Factor(LoraPart.KroneckerFirst, LoraPart.KroneckerFirstA, LoraPart.KroneckerFirstB, null, "lokr_w1", kronecker),
                    Factor(
                        LoraPart.KroneckerSecond,
                        LoraPart.KroneckerSecondA,
                        LoraPart.KroneckerSecondB,
                        LoraPart.KroneckerSecondCore,
                        "lokr_w2",
                        kronecker
                    )
                )
            );
        }

        return kinds.Count < 2
            ? kinds.FirstOrDefault()
            : throw Refused(
                kinds[1].Parts[0].Key,
                $"changes {module.Name} beside {kinds[0].Parts[0].Key}: which of two kinds counts is not said"
            );
    }

    private void Change(Module module, WeightDelta delta)
    {
        if (_targets.Find(module.Name, LoraPart.Down) is not { } target)
        {
            _notes.Of(NoPlace, delta.Parts[0].Key);
            return;
        }

        var sizes = WeightSizes.Of(target);
        var magnitudes = One(module, LoraPart.Magnitude);
        if (!delta.Fits(sizes) || (magnitudes is not null && !DecomposedChange.Fits(magnitudes, sizes)))
        {
            var parts = magnitudes is null ? delta.Parts : [.. delta.Parts, magnitudes];
            _notes.Of(Misfit, $"{string.Join(" and ", parts)} for {target.Name} [{string.Join(", ", target.Shape)}]");
            return;
        }

        // 3
        var factor = Factor(module, delta);
        Apply(
            target,
            magnitudes is null
                ? new DeltaChange(delta, sizes, _lora.Strength * factor)
                : new DecomposedChange(delta, sizes, factor, _lora.Strength, magnitudes)
        );
        if (One(module, LoraPart.UpBias) is { } bias)
        {
            Whole(module, bias, LoraPart.BiasDifference, factor);
        }
    }

    private double Factor(Module module, WeightDelta delta)
    {
        if (delta.Rank is not { } rank)
        {
            return 1; // Two whole matrices: alpha counts for nothing
        }

        var stated = new List<StatedAlpha>();
        if (One(module, LoraPart.Alpha) is { } own && Number(own) is { } value)
        {
            stated.Add(new StatedAlpha(value, false, "its alpha tensors"));
        }

        if (delta.TakesAlphaOfHeader)
        {
            stated.AddRange(_header.For(module.Name));
        }

        if (stated.Count == 0)
        {
            return 1;
        }

        var counts = stated[0];
        Tell(counts, stated.Skip(1).FirstOrDefault(other => other.Over(rank) != counts.Over(rank)), rank);
        return counts.Over(rank);
    }

    private void Tell(StatedAlpha counts, StatedAlpha? against, long rank)
    {
        if (counts.Source != "its alpha tensors")
        {
            _notes.Add(
                $"how much it counts is taken from {counts.Source} in its header (alpha {Text(counts.Value)} over "
                    + $"{(counts.RankStabilised ? "the root of the rank" : "the rank")})"
            );
        }

        if (against is not null)
        {
            _notes.Add(
                $"{counts.Source} and {against.Source} contradict each other (alpha {Text(counts.Value)} and {Text(against.Value)}"
                    + $"{(against.RankStabilised != counts.RankStabilised ? ", one of them over the root of the rank" : "")}); "
                    + $"{counts.Source} counts"
            );
        }

        if (counts.DeclaredRank is { } declared && declared != rank)
        {
            _notes.Add($"{counts.Source} names rank {Text(declared)} where pairs have rank {rank}; the pairs' own counts");
        }
    }

    private static string Text(double value) => value.ToString("0.####", CultureInfo.InvariantCulture);

    /// <param name="factor">How often it counts beside the strength.</param>
    private void Whole(Module module, AdapterTensor values, LoraPart part, double factor = 1)
    {
        if (part is not (LoraPart.Difference or LoraPart.BiasDifference or LoraPart.Replacement))
        {
            return;
        }

        if (_targets.Find(module.Name, part) is not { } target)
        {
            _notes.Of(NoPlace, values.Key);
            return;
        }

        if (values.Elements != target.Elements)
        {
            _notes.Of(Misfit, $"{values} for {target.Name} [{string.Join(", ", target.Shape)}]");
            return;
        }

        if (part != LoraPart.Replacement)
        {
            Apply(target, new DirectChange(values, _lora.Strength * factor));
        }
        else if (module.Parts.Any(other => LoraKeys.IsFactor(other.Part) || other.Part == LoraPart.Difference))
        {
            throw Refused(
                values.Key,
                $"replaces a weight that the file changes too ({module.Name}): which of the two counts is not said"
            );
        }
        else if (_lora.Strength != 0)
        {
            _notes.Of("replace the model's, whatever the strength", values.Key);
            Apply(target, new Replacement(values));
        }
        else
        {
            _applied++;
        }
    }

    private void Apply(ExpectedTensor target, TensorChange change)
    {
        _applied++;
        _change(target.Name, change);
    }

    private double? Number(AdapterTensor tensor)
    {
        if (tensor.Elements != 1)
        {
            throw Refused(tensor.Key, $"[{string.Join(", ", tensor.Shape)}] is no single number");
        }

        using var scope = NewDisposeScope();
        using var stored = _lora.Source.Load(tensor.Key);
        var value = stored.to(ScalarType.Float64).reshape(1).item<double>();
        if (double.IsFinite(value))
        {
            return value;
        }

        _notes.Of("are an alpha that is no finite number and count for nothing", tensor.Key);
        return null;
    }

    private AdapterTensor? One(Module module, LoraPart part) =>
        module.Parts.FirstOrDefault(p => p.Part == part) is { Entry: { } entry } ? new AdapterTensor(_lora.Source, entry) : null;

    private AdapterTensor? Any(Module module, LoraPart first, LoraPart last) =>
        module.Parts.FirstOrDefault(p => p.Part >= first && p.Part <= last) is { Entry: { } entry }
            ? new AdapterTensor(_lora.Source, entry)
            : null;

    private CheckpointException Refused(string field, string why) => new($"LoRA '{_lora.Name}' ({_lora.Source.Name})", field, why);

    private sealed record Module(string Name, IReadOnlyList<(TensorEntry Entry, LoraPart Part)> Parts);
}
