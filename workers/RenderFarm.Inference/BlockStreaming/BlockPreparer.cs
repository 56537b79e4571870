using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>
/// Writes a block of a checkpoint into the run of bytes that a <see cref="BlockLayout"/> describes, quantising on the way.
/// Weights that the checkpoint already stores in the same eight bits keep their bytes and scales.
/// </summary>
public static unsafe class BlockPreparer
{
    private static readonly Lock OneAtATime = new();

    /// <param name="prefix">Of the block's names in the checkpoint, <c>blocks.7.</c></param>
    /// <param name="destination">layout.Bytes of host memory.</param>
    /// <param name="device">Where weights are rounded to eight bits; a card does it many times faster than cores.</param>
    public static void Prepare(BlockLayout layout, ITensorSource source, string prefix, nint destination, Device device)
    {
        foreach (var group in layout.Tensors.GroupBy(tensor => tensor.Name))
        {
            using var scope = NewDisposeScope();
            var name = prefix + group.Key;
            Require(source, name, group.First());
            using var loaded = source.Load(name);
            var eightBits = group.FirstOrDefault(part => part.Part == StoredPart.EightBitWeight)?.Type;
            var (values, scales) = eightBits switch
            {
                null => (Dense(source, name, loaded), null),
                { } type when loaded.dtype == type => EightBitsOf(source, name, loaded, type),
                { } type => RoundedOn(device, source, name, loaded, type),
            };
            foreach (var part in group)
            {
                using var content = (part.Part == StoredPart.EightBitScales ? scales! : values).to(part.Type).cpu().contiguous();
                if (content.numel() * content.element_size() != part.Bytes)
                {
                    throw new CheckpointException(
                        source.Name,
                        name,
                        $"[{string.Join(", ", loaded.shape)}] instead of [{string.Join(", ", part.Shape)}]"
                    );
                }

                Buffer.MemoryCopy(TensorMemory.Address(content), (byte*)destination + part.Offset, part.Bytes, part.Bytes);
            }
        }
    }

    /// <summary>In host memory again. A card rounds one weight at a time: what that takes is planned for once.</summary>
    private static (Tensor Values, Tensor Scales) RoundedOn(
        Device device,
        ITensorSource source,
        string name,
        Tensor loaded,
        ScalarType type
    )
    {
        if (device.type == DeviceType.CPU)
        {
            return EightBitsOf(source, name, loaded, type);
        }

        lock (OneAtATime)
        {
            using var scope = NewDisposeScope();
            var (values, scales) = EightBitsOf(source, name, loaded.to(device), type);
            return (values.cpu().MoveToOuterDisposeScope(), scales.cpu().MoveToOuterDisposeScope());
        }
    }

    private static void Require(ITensorSource source, string name, StoredTensor expected)
    {
        if (!source.Entries.TryGetValue(name, out var entry))
        {
            throw new CheckpointException(source.Name, name, "is missing. Is it the right file, and whole?");
        }

        if (!entry.Shape.SequenceEqual(expected.Shape))
        {
            throw new CheckpointException(
                source.Name,
                name,
                $"[{string.Join(", ", entry.Shape)}] instead of [{string.Join(", ", expected.Shape)}]"
            );
        }
    }

    /// <summary>A weight in a type that products take: eight-bit ones are cast up and scaled, others stay as they are.</summary>
    /// <param name="stored">As loaded; the result may be the same tensor.</param>
    /// <param name="rows">Which rows of the weight these are; null for all of them.</param>
    public static Tensor Dense(ITensorSource source, string name, Tensor stored, IReadOnlyList<long>? rows = null)
    {
        if (stored.dtype != Float8.Type && stored.dtype != ElementType.Float8E5M2 && stored.dtype != ScalarType.Int8)
        {
            return stored;
        }

        if (stored.dtype == Int8.Type)
        {
            RequireScale(source, name);
        }

        var dense = stored.to(ScalarType.Float32);
        using var scale = StoredScale(source, name);
        if (scale is null)
        {
            return dense;
        }

        var ofRows = rows is null || scale.numel() == 1 ? scale : scale.index_select(0, tensor(rows.ToArray()));
        return dense * ofRows.to(dense.device).view([-1, .. Enumerable.Repeat(1L, (int)dense.dim() - 1)]);
    }

    private static (Tensor Values, Tensor Scales) EightBitsOf(ITensorSource source, string name, Tensor stored, ScalarType type)
    {
        if (stored.dtype != type)
        {
            return EightBits.QuantizeRows(Dense(source, name, stored), type);
        }

        if (type == Int8.Type)
        {
            RequireScale(source, name);
        }

        return (
            stored,
            StoredScale(source, name) is { } scale ? scale.to(ScalarType.Float32).expand(stored.shape[0], 1) : ones(stored.shape[0], 1)
        );
    }

    private static void RequireScale(ITensorSource source, string name)
    {
        if (!HasScale(source, name))
        {
            throw new CheckpointException(source.Name, name, "is stored as whole numbers without a scale beside it");
        }
    }

    /// <summary>The scale that quantised checkpoints keep beside a weight, as [1, 1] or [out, 1]; null for a plain cast.</summary>
    private static Tensor? StoredScale(ITensorSource source, string name)
    {
        if (!name.EndsWith(".weight", StringComparison.Ordinal))
        {
            return null;
        }

        if (ScaleNames(name).FirstOrDefault(source.Entries.ContainsKey) is not { } candidate)
        {
            return null;
        }

        var (scale, weight) = (source.Entries[candidate], source.Entries[name]);
        if (scale.Elements != 1 && scale.Elements != weight.Shape[0])
        {
            throw new CheckpointException(
                source.Name,
                candidate,
                $"[{string.Join(", ", scale.Shape)}] is neither one scale nor one for each of the {weight.Shape[0]} rows of {name}"
            );
        }

        using var stored = source.Load(candidate);
        return stored.to(ScalarType.Float32, copy: true).view(-1, 1);
    }

    private static bool HasScale(ITensorSource source, string name) =>
        name.EndsWith(".weight", StringComparison.Ordinal) && ScaleNames(name).Any(source.Entries.ContainsKey);

    private static string[] ScaleNames(string weight) =>
        [$"{weight[..^".weight".Length]}.scale_weight", $"{weight[..^".weight".Length]}.weight_scale"];
}
