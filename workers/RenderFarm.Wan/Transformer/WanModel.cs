using RenderFarm.Contracts.Models;
using RenderFarm.Inference.Arithmetic;
using RenderFarm.Inference.BlockStreaming;
using RenderFarm.Inference.Layers;
using RenderFarm.Inference.TokenAttention;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Transformer;

/// <summary>
/// The Wan DiT: noisy latent, timestep and prompt → velocity. All sizes and variants come from the shape: 2.1 and 2.2,
/// text or image to video.
/// </summary>
public sealed class WanModel : IDisposable
{
    private const long HeadTokens = 8192;

    private readonly ScalarType _type;
    private readonly Tensor _patchWeight,
        _patchBias;
    private readonly Linear _text0,
        _text2;
    private readonly TimeEmbedding _time;
    private readonly ImageEmbedding? _image;
    private readonly IBlockSource<WanBlock> _blocks;
    private readonly ITokenOps _ops;
    private readonly IAttention _attention;
    private readonly PlainTokenOps _headOps = new(ScalarType.Float32);
    private readonly Tensor _headModulation;
    private readonly Linear _head;
    private ((long Frames, long Height, long Width) Grid, Tensor Table)? _positions;

    /// <summary>With all blocks from the same weights.</summary>
    public WanModel(IWeights weights, TransformerShape shape)
        : this(
            weights,
            shape,
            new ResidentBlocks<WanBlock>([
                .. Enumerable.Range(0, shape.Layers).Select(n => new WanBlock(weights.Scope($"blocks.{n}"), shape)),
            ])
        )
    { }

    /// <param name="weights">Everything but the blocks.</param>
    /// <param name="ops">What blocks do between products; plain tensors when not given.</param>
    /// <param name="attention">How the video's tokens attend to each other; in full when not given.</param>
    public WanModel(
        IWeights weights,
        TransformerShape shape,
        IBlockSource<WanBlock> blocks,
        ITokenOps? ops = null,
        IAttention? attention = null
    )
    {
        Shape = shape;
        var exact = weights.As(ScalarType.Float32);
        _type = weights.Type;
        _patchWeight = exact.Tensor("patch_embedding.weight", shape.Dim, shape.InChannels, 1, 2, 2);
        _patchBias = exact.Tensor("patch_embedding.bias", shape.Dim);
        _text0 = weights.Linear("text_embedding.0", shape.TextDim, shape.Dim);
        _text2 = weights.Linear("text_embedding.2", shape.Dim, shape.Dim);
        _time = new TimeEmbedding(weights, shape);
        _image = shape.ImageBranch == ImageBranch.None ? null : new ImageEmbedding(weights.Scope("img_emb"), shape);
        _blocks = blocks;
        _ops = ops ?? new PlainTokenOps(_type);
        _attention = attention ?? new FullAttention(_ops);
        _headModulation = exact.Tensor("head.modulation", 1, 2, shape.Dim);
        _head = exact.Linear("head.head", shape.Dim, 4 * shape.OutChannels);
    }

    public TransformerShape Shape { get; }

    private Device Device => _patchBias.device;

    /// <summary>Embeds a prompt, once for all steps.</summary>
    /// <param name="contexts">The text encoder's rows, one [n ≤ 512, 4096] per sample. Padding is part of the model: the rows
    /// that zeros turn into are attended to.</param>
    /// <param name="clip">Picture features, see <see cref="ImageEmbedding"/>.</param>
    /// <param name="keepKeyValues">Keep each block's keys and values for the steps that follow.</param>
    public ContextCache Embed(IReadOnlyList<Tensor> contexts, Tensor? clip = null, bool keepKeyValues = true)
    {
        if (clip is null != _image is null)
        {
            throw new ArgumentException(
                _image is null ? "this model takes no picture features" : "this model needs picture features",
                nameof(clip)
            );
        }

        using var scope = NewDisposeScope();
        return Embed(stack(contexts.Select(Padded), 0), clip, keepKeyValues);
    }

    /// <param name="text">[B, 512, 4096] in the compute type; rows behind a prompt are zero.</param>
    private ContextCache Embed(Tensor text, Tensor? clip, bool keepKeyValues)
    {
        using var scope = NewDisposeScope();
        text = _text2.Apply(nn.functional.gelu(_text0.Apply(text), TorchSharp.Modules.GELU.Approximate.tanh)); // [B, 512, dim]
        if (clip is null)
        {
            return new ContextCache(text, null, keepKeyValues);
        }

        var (image, rest) = SplitContext(cat([_image!.Apply(clip.to(Device)).to(_type), text], 1));
        return new ContextCache(rest, image, keepKeyValues);
    }

    /// <summary>The same for prompts that were encoded together.</summary>
    /// <param name="contexts">[B, n ≤ 512, 4096]; rows behind a prompt are zero.</param>
    public ContextCache Embed(Tensor contexts)
    {
        if (_image is not null)
        {
            throw new ArgumentException("this model needs picture features", nameof(contexts));
        }

        using var scope = NewDisposeScope();
        return Embed(nn.functional.pad(contexts.to(_type), (0, 0, 0, Shape.TextLength - contexts.shape[1])), null, keepKeyValues: false);
    }

    /// <param name="x">Latent [B, 16 or 48, F, H, W]; H and W even.</param>
    /// <param name="y">Mask and latent of the given frames [B, 20, F, H, W], for models with 36 input channels.</param>
    /// <param name="afterBlock">Sees every block's output [B, L, dim]; does not own it.</param>
    /// <param name="skipper">May have the blocks left out.</param>
    /// <returns>Velocity, float32 [B, out, F, H, W].</returns>
    public Tensor Forward(
        Tensor x,
        Timesteps timesteps,
        ContextCache context,
        Tensor? y = null,
        long feedForwardTokens = long.MaxValue,
        Action<int, Tensor>? afterBlock = null,
        IBlockSkipper? skipper = null
    )
    {
        using var scope = NewDisposeScope();
        if (y is not null)
        {
            x = cat([x, y], 1);
        }

        Require(x, timesteps);

        var grid = (Frames: x.shape[2], Height: x.shape[3] / 2, Width: x.shape[4] / 2);
        var (e, e0) = _time.Apply(timesteps.Rows(Device));
        var modulation = new Modulation(e, e0, [.. timesteps.Runs.Select(run => run.Tokens)]);
        var input = new BlockInput(modulation, Positions(grid), context, _ops, _attention, feedForwardTokens);

        var tokens = Product.Linear(Patches.Split(x.to(ScalarType.Float32)), _patchWeight.flatten(1), _patchBias); // [B, L, dim]
        tokens = skipper is null ? Blocks(tokens, input, afterBlock) : Blocks(tokens, input, afterBlock, skipper);
        return Patches.Join(Head(tokens, modulation), grid).MoveToOuterDisposeScope();
    }

    /// <summary>What it keeps of its own; weights belong to whoever loaded them.</summary>
    public void Dispose()
    {
        _positions?.Table.Dispose();
        _positions = null;
    }

    /// <summary>The table of the last grid is kept: every forward of a job has the same.</summary>
    private Tensor Positions((long Frames, long Height, long Width) grid)
    {
        if (_positions is { } kept && kept.Grid == grid)
        {
            return kept.Table;
        }

        Dispose();
        var table = RotaryTables.For(grid, Shape.HeadDim, Device).DetachFromDisposeScope();
        _positions = (grid, table);
        return table;
    }

    private Tensor Blocks(Tensor tokens, BlockInput input, Action<int, Tensor>? afterBlock)
    {
        for (var index = 0; index < _blocks.Count; index++)
        {
            using var before = tokens;
            tokens = _blocks.Enter(index).Apply(tokens, index, input);
            _blocks.Leave(index);
            afterBlock?.Invoke(index, tokens);
        }
        return tokens;
    }

    private Tensor Blocks(Tensor tokens, BlockInput input, Action<int, Tensor>? afterBlock, IBlockSkipper skipper)
    {
        if (skipper.Instead(input.Modulation) is { } kept)
        {
            return tokens.add_(kept);
        }

        using var difference = tokens.clone(); // Blocks may change theirs in place
        tokens = Blocks(tokens, input, afterBlock);
        skipper.Ran(difference.neg_().add_(tokens));
        return tokens;
    }

    /// <summary>
    /// Picture tokens come first, and the last 512 tokens are text by definition: a model with a shorter text length has its
    /// boundary elsewhere than its parts would suggest, counted from the end as a negative index is.
    /// </summary>
    private static (Tensor Image, Tensor Text) SplitContext(Tensor context)
    {
        var tokens = context.shape[1];
        var boundary = tokens - 512;
        if (boundary < 0)
        {
            boundary += tokens;
        }

        return (context.narrow(1, 0, boundary), context.narrow(1, boundary, tokens - boundary));
    }

    /// <summary>
    /// [B, L, dim] → [B, L, 4·out], in float32, some thousand tokens at a time: all at once, its copies of x would be the highest
    /// peak of a long video.
    /// </summary>
    private Tensor Head(Tensor x, Modulation modulation)
    {
        var e = (modulation.E.unsqueeze(2) + _headModulation).unbind(2); // Shift and scale, each [B, R, dim]
        var affine = modulation.Affine(scale: e[1], shift: e[0], Shape.Epsilon);
        var tokens = x.shape[1];
        if (tokens <= HeadTokens || modulation.Runs.Count > 1)
        {
            return Apply(x);
        }

        var parts = new List<Tensor>();
        for (long start = 0; start < tokens; start += HeadTokens)
        {
            parts.Add(Apply(x.narrow(1, start, Math.Min(HeadTokens, tokens - start))));
        }

        return cat(parts, 1);

        Tensor Apply(Tensor part)
        {
            using var normed = _headOps.Norm(part, affine, RowFormat.Dense);
            return _head.Apply(normed);
        }
    }

    private Tensor Padded(Tensor context)
    {
        if (context.dim() != 2 || context.shape[1] != Shape.TextDim || context.shape[0] > Shape.TextLength)
        {
            throw new ArgumentException(
                $"a context of [{string.Join(", ", context.shape)}]; this model takes [up to {Shape.TextLength}, {Shape.TextDim}]",
                nameof(context)
            );
        }

        return nn.functional.pad(context.to(_type, Device), (0, 0, 0, Shape.TextLength - context.shape[0]));
    }

    private void Require(Tensor x, Timesteps timesteps)
    {
        if (x.dim() != 5 || x.shape[1] != Shape.InChannels)
        {
            throw new ArgumentException(
                $"a latent of [{string.Join(", ", x.shape)}]; this model takes [B, {Shape.InChannels}, F, H, W]",
                nameof(x)
            );
        }

        if (x.shape[3] % 2 != 0 || x.shape[4] % 2 != 0)
        {
            throw new ArgumentException($"a latent of {x.shape[4]} × {x.shape[3]}; both sides must be even", nameof(x));
        }

        if (timesteps.Runs[0].Values.Count is var given && given != 1 && given != x.shape[0])
        {
            throw new ArgumentException($"{timesteps.Runs[0].Values.Count} timesteps for {x.shape[0]} samples", nameof(timesteps));
        }
    }
}
