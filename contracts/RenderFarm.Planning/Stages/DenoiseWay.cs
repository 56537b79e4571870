using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Plans;
using RenderFarm.Planning.Models;

namespace RenderFarm.Planning.Stages;

/// <summary>One way to store a DiT's weights and chunk its tokens: what a block weighs, what a forward takes and holds.</summary>
/// <remarks>
/// A block's worst moment is either attention (input, q, k, v and the output, beside the residual) or the feed-forward
/// (its hidden layer, for one chunk of tokens). Keys and values of the text are computed anew in each forward: that
/// costs milliseconds, keeping them would cost hundreds of MiB. LoRAs are merged into weights that stay; beside weights that
/// are streamed they are branches, which lie on the device whole and whose results are as wide as those they are added to.
/// </remarks>
internal sealed class DenoiseWay
{
    /// <summary>
    /// Device-memory bytes that a parameter costs when eight-bit weights are cast up before a product. Assumed: read once, written and
    /// read at sixteen bits, and what the cast adds; it makes these steps up to 8 % long (h100-80gb-predict-again.txt).
    /// </summary>
    private const double CastUpBytesPerParameter = 8;

    /// <summary>
    /// Bytes a token and channel that a card's pool reserves for a block: residual 4, q, k and v 6, attention's output and its
    /// projection 4, normed rows 2, the rest what can't be joined again. Less where products take weights that were cast up.
    /// Fitted, like the next, to the 26 jobs of 1.3B and 14B in h100-80gb-predict.json; h100-80gb-predict-again.txt has the fit's
    /// peaks, within 2 % in the 11 jobs it came to.
    /// </summary>
    private const double PooledPerChannel = 18;
    private const double PooledPerChannelCastUp = 16;

    /// <summary>
    /// A hidden layer too wide for the range that q, k and v left takes a new one, this many times what it lacks. Fitted like the above.
    /// </summary>
    private const double WideHidden = 1.77;

    /// <summary>What int8 products sum up in, before it is scaled: rows are taken in pieces of so much. Counted.</summary>
    private const long Int8SumsBytes = 128L << 20;

    /// <summary>Two branches in one forward: joining and splitting them, and attention gains nothing. Assumed.</summary>
    private const double BatchingCost = 1.01;

    /// <summary>The head size that eight-bit attention is for.</summary>
    public const int EightBitHeadDim = 128;

    /// <summary>Below this rounding costs what the products gain: 1,560 tokens take longer, 4,680 less.</summary>
    private const int LeastEightBitTokens = 4096;

    public DenoiseWay(PlanContext context, Precision precision, AttentionPrecision attention, int ffnChunk, bool batched)
    {
        Precision = precision;
        Attention = attention;
        FfnChunk = ffnChunk;
        Batched = batched;
        ForwardsPerStep = context.Request.Guided && !batched ? 2 : 1;
        var shape = context.Request.Shape;
        BlockBytes = BlockBytesOf(shape.Transformer, precision);
        HostBytes = HostBytesOf(shape, precision);
        var outside = OutsideBytesOf(shape.Transformer, precision);
        StepCacheBytes = StepCacheOf(context, shape.Transformer);
        // And the tokens before the blocks
        var besides = outside + StepCacheBytes + (context.Request.StepCache ? Rows(context) * shape.Transformer.Dim * 4 : 0);
        FixedBytes =
            besides
            + (context.OnCpu ? Activations(context, shape.Transformer) : PooledActivations(context, shape.Transformer, beside: false));
        ForwardSeconds = Compute(context, shape.Transformer) * (batched ? BatchingCost : 1);
        if (context.Request.Loras > 0 && !context.OnCpu && precision != Precision.Fp32)
        {
            var parameters =
                context.Request.LoraParameters
                ?? context.Request.Loras * ParameterCounts.Lora(shape.Transformer, ParameterCounts.TypicalLoraRank);
            LoraBytes = parameters * 2;
            BesideBytes = LoraBytes + besides + PooledActivations(context, shape.Transformer, beside: true) - FixedBytes;
            BesideSeconds = BesideCompute(context, shape.Transformer, parameters);
        }
        BlockCopySeconds = context.OnCpu ? 0 : BlockBytes / context.Rates.HostToDeviceBytesPerSecond;
        OutsideLoadSeconds = shape.Experts * outside / context.Rates.HostToDeviceBytesPerSecond;
    }

    public Precision Precision { get; }

    public AttentionPrecision Attention { get; }

    /// <summary>Weights are stored in eight bits and cast up for each product.</summary>
    private bool CastsUp => Precision is Precision.Fp8Weights or Precision.Int8Weights;

    /// <summary>Of <see cref="PlanContext.Classes"/> those that admit it, a bit each.</summary>
    public required uint Classes { get; init; }

    /// <summary>Tokens per feed-forward chunk; 0 for all at once.</summary>
    public int FfnChunk { get; }

    /// <summary>Both guidance branches in one forward.</summary>
    public bool Batched { get; }

    public int ForwardsPerStep { get; }

    /// <summary>One block as stored: the size of a ring slot.</summary>
    public long BlockBytes { get; }

    /// <summary>Prepared weights of every expert, in host memory for as long as the job runs.</summary>
    public long HostBytes { get; }

    /// <summary>Device bytes besides blocks: activations at their worst, embeddings, head, latents.</summary>
    public double FixedBytes { get; }

    /// <summary>LoRAs as branches, sixteen bits each number; part of <see cref="BesideBytes"/>.</summary>
    public long LoraBytes { get; }

    /// <summary>Kept from step to step; part of <see cref="FixedBytes"/>.</summary>
    public long StepCacheBytes { get; }

    /// <summary>Device bytes that LoRAs take once any block is streamed.</summary>
    public double BesideBytes { get; }

    /// <summary>One forward with nothing waiting for a copy.</summary>
    public double ForwardSeconds { get; }

    /// <summary>What LoRAs add to it once any block is streamed.</summary>
    public double BesideSeconds { get; }
    public double BlockCopySeconds { get; }
    public double OutsideLoadSeconds { get; }

    /// <summary>Plans of both are of one kind, as far as it depends on the way.</summary>
    public bool IsOfKindOf(DenoiseWay other) =>
        (Precision, Attention, FfnChunk > 0, Batched) == (other.Precision, other.Attention, other.FfnChunk > 0, other.Batched);

    /// <summary>At least as good in everything that counts, so that the other need not be looked at.</summary>
    public bool Dominates(DenoiseWay other) =>
        Classes == other.Classes
        && FixedBytes <= other.FixedBytes
        && BlockBytes <= other.BlockBytes
        && HostBytes <= other.HostBytes
        && BesideBytes <= other.BesideBytes
        && (ForwardSeconds + BesideSeconds) * ForwardsPerStep <= (other.ForwardSeconds + other.BesideSeconds) * other.ForwardsPerStep
        && ForwardSeconds <= other.ForwardSeconds
        && ForwardSeconds * ForwardsPerStep <= other.ForwardSeconds * other.ForwardsPerStep
        && BlockCopySeconds * ForwardsPerStep <= other.BlockCopySeconds * other.ForwardsPerStep
        && (FixedBytes < other.FixedBytes || BlockBytes < other.BlockBytes || ForwardSeconds < other.ForwardSeconds);

    /// <summary>
    /// Those worth a look beside a precision. Eight bits come with products in eight bits, whose error they add nothing to; other
    /// precisions are chosen for their exactness.
    /// </summary>
    public static IReadOnlyList<AttentionPrecision> AttentionsFor(PlanContext context, Precision precision)
    {
        if (context.Request.Pins.Attention is { } pinned)
        {
            return [pinned];
        }

        return
            precision is Precision.Fp8 or Precision.Int8
            && context.Rates.EightBitAttentionFlops is { } rate
            && rate > context.Rates.AttentionFlops
            && context.Request.Shape.Transformer.HeadDim == EightBitHeadDim
            && context.Geometry.Tokens >= LeastEightBitTokens
            ? [AttentionPrecision.EightBit, AttentionPrecision.Full]
            : [AttentionPrecision.Full];
    }

    public static long HostBytesOf(ModelShape shape, Precision precision) =>
        shape.Experts
        * ((shape.Transformer.Layers * BlockBytesOf(shape.Transformer, precision)) + OutsideBytesOf(shape.Transformer, precision));

    private static long BlockBytesOf(TransformerShape shape, Precision precision)
    {
        var parameters = ParameterCounts.Block(shape);
        if (precision is Precision.Fp32)
        {
            return parameters * 4;
        }

        if (precision is Precision.Bf16)
        {
            return parameters * 2;
        }

        var matrices = ParameterCounts.BlockMatrices(shape);
        var scales = 4L * (((shape.ImageBranch == ImageBranch.None ? 9 : 11) * shape.Dim) + shape.FfnDim);
        return matrices + ((parameters - matrices) * 2) + scales;
    }

    /// <summary>The time embedding is float32 in every precision.</summary>
    private static long OutsideBytesOf(TransformerShape shape, Precision precision) =>
        precision is Precision.Fp32
            ? ParameterCounts.OutsideBlocks(shape) * 4
            : (ParameterCounts.OutsideBlocks(shape) + ParameterCounts.TimeEmbedding(shape)) * 2;

    /// <summary>What is alive at the worst moment of a block of plain float32 tensors.</summary>
    private double Activations(PlanContext context, TransformerShape shape)
    {
        double d = shape.Dim;
        double f = shape.FfnDim;
        var rows = Rows(context);
        double element = 4;
        var chunkRows = FfnChunk == 0 ? rows : Math.Min(FfnChunk, rows);
        var residual = rows * d * 4;
        // Norm and rotation write beside their input, and their temporaries are kept as well
        var attention = rows * d * ((5 * element) + 8);
        var feedForward = (chunkRows * 2 * element * (d + f)) + (FfnChunk == 0 ? 0 : rows * d * element);
        return residual + Math.Max(attention, feedForward) + Shared(context, shape);
    }

    /// <summary>What a card's pool reserves for the same by fused kernels.</summary>
    /// <param name="beside">With LoRAs as branches, whose widest result lies beside the hidden layer.</param>
    private double PooledActivations(PlanContext context, TransformerShape shape, bool beside)
    {
        if (Precision is Precision.Fp32)
        {
            return Activations(context, shape) * 1.2; // Assumed: float32 on a card is for comparisons
        }

        double d = shape.Dim;
        double f = shape.FfnDim;
        var rows = Rows(context);
        var chunkRows = FfnChunk == 0 ? rows : Math.Min(FfnChunk, rows);
        var castUp = CastsUp ? d * f * 2 * 1.5 : 0;
        var sums = Precision is Precision.Int8 ? Math.Min(Int8SumsBytes, rows * f * 4) : 0;
        var perChannel = castUp > 0 ? PooledPerChannelCastUp : PooledPerChannel;
        var hidden = Math.Max(0, (chunkRows * f * (beside ? 4 : 2)) - (rows * d * 6)) * WideHidden;
        return (rows * d * perChannel) + hidden + castUp + sums + Shared(context, shape);
    }

    /// <summary>Angles, and the latent with what the sampler keeps of it.</summary>
    private static double Shared(PlanContext context, TransformerShape shape) =>
        (context.Geometry.Tokens * (double)shape.HeadDim * 4)
        + (context.Geometry.LatentCells * (double)(shape.InChannels + (6 * shape.OutChannels)) * 4);

    /// <summary>What the blocks added to the tokens when they last ran, for each branch.</summary>
    private long StepCacheOf(PlanContext context, TransformerShape shape) =>
        !context.Request.StepCache
            ? 0
            : (long)context.Geometry.Tokens * shape.Dim * (Precision is Precision.Fp32 ? 4 : 2) * (context.Request.Guided ? 2 : 1);

    /// <summary>The products of the branches, and their results added to those of a block's nine others.</summary>
    private double BesideCompute(PlanContext context, TransformerShape shape, long parameters)
    {
        var rows = Rows(context);
        var traffic = shape.Layers * rows * 6 * ((9.0 * shape.Dim) + shape.FfnDim);
        return (2 * rows * parameters / context.Rates.Bf16Flops) + (traffic / context.Rates.MemoryBytesPerSecond);
    }

    private double Rows(PlanContext context) => context.Geometry.Tokens * (Batched ? 2.0 : 1);

    private double Compute(PlanContext context, TransformerShape shape)
    {
        var batch = Batched ? 2 : 1;
        double d = shape.Dim;
        double f = shape.FfnDim;
        double tokens = context.Geometry.Tokens;
        var rows = tokens * batch;
        var rates = context.Rates;
        var plain = Precision is Precision.Fp32;
        var productRate = rates.ProductFlops(Precision)!.Value;
        var attentionRate = plain && !context.OnCpu ? Math.Min(rates.Fp32Flops, rates.AttentionFlops) : rates.AttentionFlops;
        var contextTokens = shape.TextLength + ImageTokens(shape);
        var chunkRows = FfnChunk == 0 ? rows : Math.Min(FfnChunk, rows);
        // Short products don't fill a card. This, the traffic and the launches are assumed; with a card's own rates the sum meets the
        // steps of h100-80gb-predict-again.txt within 8 %, those of fp8 within 5 %.
        double fill = context.OnCpu ? 0 : 256;
        var projections = ((rows * 12 * d * d) + (batch * 4 * d * d * contextTokens)) * (1 + (fill / rows));
        var feedForward = rows * 4 * d * f * (1 + (fill / chunkRows));
        var selfRate = Attention == AttentionPrecision.EightBit ? rates.EightBitAttentionFlops!.Value : attentionRate;
        var attention = rows * 4 * d * ((tokens / selfRate) + (contextTokens / attentionRate));
        var traffic = rows * ((60 * d) + (6 * f)) * (plain ? 3 : 1);
        var castUp = CastsUp ? ParameterCounts.BlockMatrices(shape) * CastUpBytesPerParameter : 0;
        var launches = (context.OnCpu ? 0.0003 : 0.00006) * (1 + (0.5 * (Math.Ceiling(rows / chunkRows) - 1)));
        return shape.Layers
            * (
                ((projections + feedForward) / productRate)
                + attention
                + ((traffic + castUp) / rates.MemoryBytesPerSecond)
                + launches
            );
    }

    private static int ImageTokens(TransformerShape shape) =>
        shape.ImageBranch switch
        {
            ImageBranch.Clip => shape.ImageTokens,
            ImageBranch.ClipFirstLast => 2 * shape.ImageTokens,
            _ => 0,
        };
}
