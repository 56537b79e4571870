using RenderFarm.Inference.Quantization;
using RenderFarm.Inference.Safetensors;
using TorchSharp;
using static TorchSharp.torch;

namespace RenderFarm.Inference.BlockStreaming;

/// <summary>
/// Writes a block of a checkpoint into the run of bytes that a <see cref="BlockLayout"/> describes, quantising on the way.
/// Weights that the checkpoint already stores in the same eight bits keep their bytes and scales; sixteen bits of a mapped file are
/// read where they lie.
/// </summary>
public static unsafe class BlockPreparer
{
    /// <param name="prefix">Of the block's names in the checkpoint, <c>blocks.7.</c></param>
    /// <param name="destination">layout.Bytes of host memory.</param>
    /// <param name="threads">How many of this process's cores round a weight.</param>
    public static void Prepare(BlockLayout layout, ITensorSource source, string prefix, nint destination, int threads = 1)
    {
        foreach (var group in layout.Tensors.GroupBy(tensor => tensor.Name))
        {
            using var scope = NewDisposeScope();
            var name = prefix + group.Key;
            Require(source, name, group.First());
            var value = group.FirstOrDefault(part => part.Part == StoredPart.Value);
            if (value is null)
            {
                Round(source, name, [.. group], destination, threads);
            }
            else if (Mapped(source, name) is { } address && source.Entries[name].Type.ScalarType == value.Type)
            {
                Buffer.MemoryCopy((byte*)address, (byte*)destination + value.Offset, value.Bytes, value.Bytes);
            }
            else
            {
                using var loaded = source.Load(name);
                Write(source, name, Dense(source, name, loaded), value, destination);
            }
        }
    }

    /// <param name="parts">Where its values and its scales go.</param>
    private static void Round(ITensorSource source, string name, IReadOnlyList<StoredTensor> parts, nint destination, int threads)
    {
        var values = parts.Single(part => part.Part == StoredPart.EightBitWeight);
        var scales = parts.Single(part => part.Part == StoredPart.EightBitScales);
        var stored = source.Entries[name].Type.ScalarType;
        if (RowRounding.Reads(stored) && Mapped(source, name) is { } address)
        {
            RoundRows(address, stored);
            return;
        }

        using var loaded = source.Load(name);
        if (loaded.dtype == values.Type)
        {
            Write(source, name, loaded, values, destination);
            Write(source, name, OwnScales(source, name, loaded), scales, destination);
            return;
        }

        var dense = Dense(source, name, loaded);
        if (dense.device_type != DeviceType.CPU)
        {
            var (rounded, ofRows) = EightBits.QuantizeRows(dense, values.Type);
            Write(source, name, rounded, values, destination);
            Write(source, name, ofRows, scales, destination);
            return;
        }

        var exact = (RowRounding.Reads(dense.dtype) ? dense : dense.to(ScalarType.Float32)).contiguous();
        RoundRows((nint)TensorMemory.Address(exact), exact.dtype);

        void RoundRows(nint rows, ScalarType type) =>
            RowRounding.Round(
                rows,
                type,
                values.Shape[0],
                checked((int)(values.Bytes / values.Shape[0])),
                values.Type,
                destination + (nint)values.Offset,
                destination + (nint)scales.Offset,
                threads
            );
    }

    /// <summary>Where a tensor's bytes lie, brought in from the file; null where it has to be loaded.</summary>
    private static nint? Mapped(ITensorSource source, string name)
    {
        if (source.AddressOf(name) is not { } address)
        {
            return null;
        }

        PageRanges.Fetch(address, source.Entries[name].Bytes);
        return address;
    }

    private static void Write(ITensorSource source, string name, Tensor tensor, StoredTensor part, nint destination)
    {
        using var content = tensor.to(part.Type).cpu().contiguous();
        if (content.numel() * content.element_size() != part.Bytes)
        {
            throw new CheckpointException(
                source.Name,
                name,
                $"[{string.Join(", ", tensor.shape)}] instead of [{string.Join(", ", part.Shape)}]"
            );
        }

        Buffer.MemoryCopy(TensorMemory.Address(content), (byte*)destination + part.Offset, part.Bytes, part.Bytes);
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

    /// <summary>Those of a weight that is stored in eight bits already; 1 where the file has none.</summary>
    private static Tensor OwnScales(ITensorSource source, string name, Tensor stored)
    {
        if (stored.dtype == Int8.Type)
        {
            RequireScale(source, name);
        }

        return StoredScale(source, name) is { } scale
            ? scale.to(ScalarType.Float32).expand(stored.shape[0], 1)
            : ones(stored.shape[0], 1);
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
