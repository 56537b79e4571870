using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;

namespace RenderFarm.Wan.Loras;

/// <summary>A LoRA to apply: a file that belongs to the set from then on.</summary>
public sealed record NamedLora(string Name, double Strength, ITensorSource Source);

/// <summary>
/// Several LoRAs resolved onto one DiT: which of its tensors change, and by what. Everything is checked before anything is
/// loaded. Owns the files.
/// </summary>
public sealed class LoraSet : IDisposable
{
    private readonly IReadOnlyList<NamedLora> _loras;

    private LoraSet(
        IReadOnlyList<NamedLora> loras,
        IReadOnlyDictionary<string, IReadOnlyList<TensorChange>> changes,
        IReadOnlyList<string> notes
    ) => (_loras, Changes, Notes) = (loras, changes, notes);

    /// <summary>What happens to a tensor, in order, by its name in the original layout.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<TensorChange>> Changes { get; }

    /// <summary>For the user: what has no effect here, and where a file's own factor was found.</summary>
    public IReadOnlyList<string> Notes { get; }

    public bool IsEmpty => Changes.Count == 0;

    /// <param name="loras">Taken over.</param>
    /// <exception cref="CheckpointException">A LoRA is for another architecture, damaged or of an unsupported kind; names it.</exception>
    public static LoraSet Resolve(IReadOnlyList<NamedLora> loras, TransformerShape shape)
    {
        try
        {
            var targets = new LoraTargets(shape);
            var changes = new Dictionary<string, List<TensorChange>>(StringComparer.Ordinal);
            var notes = loras.SelectMany(lora => new LoraReader(lora, targets, Add).Read()).ToList();
            return new LoraSet(
                loras,
                changes.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<TensorChange>)pair.Value, StringComparer.Ordinal),
                notes
            );

            void Add(string tensor, TensorChange change)
            {
                if (!changes.TryGetValue(tensor, out var list))
                {
                    changes.Add(tensor, list = []);
                }

                list.Add(change);
            }
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
}
