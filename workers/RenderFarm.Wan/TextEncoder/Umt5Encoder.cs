using RenderFarm.Contracts.Models;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.Safetensors;
using static TorchSharp.torch;

namespace RenderFarm.Wan.TextEncoder;

/// <summary>
/// The UMT5 encoder: ids of a prompt → its context. Runs on the real length of the prompt: padding would be masked out as
/// a key, and its rows are zero in the end, so leaving it away gives the same rows for a fraction of the work.
/// </summary>
public sealed class Umt5Encoder
{
    public const string TableName = "token_embedding.weight";

    private readonly TextEncoderShape _shape;
    private readonly ITokenRows _rows;
    private readonly IBlockSource<Umt5Layer> _layers;
    private readonly RmsNorm _norm;
    private readonly RelativePositions _positions;

    /// <summary>With everything from the same weights.</summary>
    public Umt5Encoder(IWeights weights, TextEncoderShape shape)
        : this(weights, shape, new ResidentTokenRows(weights.Tensor(TableName, shape.Vocabulary, shape.Dim))) { }

    /// <summary>With the table elsewhere.</summary>
    public Umt5Encoder(IWeights weights, TextEncoderShape shape, ITokenRows rows)
        : this(
            weights,
            shape,
            rows,
            new ResidentBlocks<Umt5Layer>([
                .. Enumerable.Range(0, shape.Layers).Select(n => new Umt5Layer(weights.Scope($"blocks.{n}"), shape)),
            ])
        )
    { }

    /// <param name="weights">Of the final norm only.</param>
    public Umt5Encoder(IWeights weights, TextEncoderShape shape, ITokenRows rows, IBlockSource<Umt5Layer> layers)
    {
        (_shape, _rows, _layers) = (shape, rows, layers);
        _positions = new RelativePositions(shape.Buckets);
        _norm = new RmsNorm(weights.Scope("norm"), shape.Dim, Umt5Layer.Epsilon);
    }

    /// <summary>Layers on the device, the table left in the file, which must stay open as long as the encoder is used.</summary>
    /// <exception cref="CheckpointException">Names what is missing, misshapen or unknown.</exception>
    public static Loaded<Umt5Encoder> Load(ITensorSource source, TextEncoderShape shape, Device device, ScalarType computeType) =>
        LoadedWeights.Build(
            source,
            device,
            computeType,
            weights => new Umt5Encoder(weights, shape, new StoredTokenRows(source, shape)),
            ignorable: name => name == TableName
        );

    /// <param name="ids">Of one prompt, with its end piece, without padding.</param>
    /// <param name="afterLayer">Sees every layer's output, float32 [L, dim]; does not own it.</param>
    /// <returns>Float32 [L, dim]. The DiT pads it with zero rows to its text length.</returns>
    public Tensor Encode(IReadOnlyList<long> ids, Action<int, Tensor>? afterLayer = null)
    {
        Require(ids);
        using var scope = NewDisposeScope();
        var buckets = _positions.Matrix(ids.Count, _norm.Device);
        var x = _rows.Gather(ids).to(ScalarType.Float32).to(_norm.Device); // [L, dim]
        for (var index = 0; index < _layers.Count; index++)
        {
            using var before = x;
            x = _layers.Enter(index).Apply(x, buckets);
            _layers.Leave(index);
            afterLayer?.Invoke(index, x);
        }

        return _norm.Apply(x).MoveToOuterDisposeScope();
    }

    /// <summary>Several prompts at once, as training needs them: padded to the longest, padding masked.</summary>
    /// <returns>Float32 [B, longest, dim]; the rows behind a prompt are zero.</returns>
    public Tensor EncodeBatch(IReadOnlyList<IReadOnlyList<long>> prompts)
    {
        foreach (var ids in prompts)
        {
            Require(ids);
        }

        using var scope = NewDisposeScope();
        var longest = prompts.Max(ids => ids.Count);
        var (padded, there) = (new long[prompts.Count * longest], new float[prompts.Count * longest]);
        for (var b = 0; b < prompts.Count; b++)
        {
            for (var i = 0; i < prompts[b].Count; i++)
            {
                (padded[b * longest + i], there[b * longest + i]) = (prompts[b][i], 1);
            }
        }

        var mask = tensor(there, [prompts.Count, longest], device: _norm.Device);
        var padding = (mask - 1).mul_(1e9).unsqueeze(1).unsqueeze(1);

        var buckets = _positions.Matrix(longest, _norm.Device);
        var x = _rows.Gather(padded).to(ScalarType.Float32).to(_norm.Device).unflatten(0, prompts.Count, longest); // [B, L, dim]
        for (var index = 0; index < _layers.Count; index++)
        {
            x = _layers.Enter(index).Apply(x, buckets, padding);
            _layers.Leave(index);
        }
        return (_norm.Apply(x) * mask.unsqueeze(-1)).MoveToOuterDisposeScope();
    }

    private void Require(IReadOnlyList<long> ids)
    {
        if (ids.Count == 0)
        {
            throw new ArgumentException("there are no ids; a prompt has at least its end piece", nameof(ids));
        }

        if (ids.Cast<long?>().FirstOrDefault(id => id < 0 || id >= _shape.Vocabulary) is { } wrong)
        {
            throw new ArgumentOutOfRangeException(
                nameof(ids),
                wrong,
                $"the vocabulary has {_shape.Vocabulary} pieces; tokenizer and text encoder are not of one model"
            );
        }
    }
}
