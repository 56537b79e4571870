using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.TextEncoder;

/// <summary>The embedding table, of which a prompt needs a few rows only.</summary>
public interface ITokenRows
{
    /// <returns>[ids.Count, dim], as stored, wherever the table is; in the caller's dispose scope.</returns>
    Tensor Gather(IReadOnlyList<long> ids);
}

/// <summary>A table in memory. Does not own it.</summary>
/// <param name="table">[vocabulary, dim]</param>
public sealed class ResidentTokenRows(Tensor table) : ITokenRows
{
    public Tensor Gather(IReadOnlyList<long> ids)
    {
        using var index = tensor(ids.ToArray(), device: table.device);
        return table.index_select(0, index);
    }
}

/// <summary>
/// A table that stays in its file: that of UMT5-XXL takes 2 GiB, a prompt a few hundred rows of 8 KiB. The source must
/// stay open; it is not owned.
/// </summary>
public sealed class StoredTokenRows : ITokenRows
{
    private readonly ITensorSource _source;

    public StoredTokenRows(ITensorSource source, TextEncoderShape shape)
    {
        _source = source;
        long[] expected = [shape.Vocabulary, shape.Dim];
        if (!source.Entries.TryGetValue(Umt5Encoder.TableName, out var entry))
        {
            throw new CheckpointException(source.Name, Umt5Encoder.TableName, "there is no such tensor");
        }

        if (!entry.Shape.SequenceEqual(expected))
        {
            throw new CheckpointException(
                source.Name,
                Umt5Encoder.TableName,
                $"has shape [{string.Join(", ", entry.Shape)}] instead of [{string.Join(", ", expected)}]"
            );
        }
    }

    public Tensor Gather(IReadOnlyList<long> ids)
    {
        using var rows = _source.LoadRows(Umt5Encoder.TableName, ids);
        return rows.alias();
    }
}
