using RenderFarm.Cuda;
using RenderFarm.Cuda.Aten;
using RenderFarm.Inference.Kernels;
using static TorchSharp.torch;

namespace RenderFarm.Inference.TokenAttention;

/// <summary>
/// What <see cref="PlainEightBitAttention"/> defines, by kernels: q and k are rounded where they are normed and turned. On Hopper v is
/// rounded too; elsewhere its products are in bf16, by matrix instructions that every card since Ampere has.
/// </summary>
/// <param name="onHopper">With Hopper's matrix units; the other kernel runs there as well.</param>
public sealed class FusedEightBitAttention(AttentionKernels kernels, bool onHopper) : IAttention
{
    private static readonly (int, int) Hopper = (9, 0);
    private static readonly (int, int) First = (8, 0);

    /// <summary>With what suits the card.</summary>
    public FusedEightBitAttention(AttentionKernels kernels)
        : this(kernels, CudaDevice.ComputeCapability == Hopper) { }

    public bool IsForHopper => onHopper;

    /// <summary>What these kernels must compute, except for the order of sums.</summary>
    public PlainEightBitAttention Definition { get; } = new(roundsValues: onHopper);

    /// <summary>The one head size that the kernels are for.</summary>
    public const int HeadDim = AttentionKernels.HeadDim;

    /// <summary>Null where the card and the model suit the kernels.</summary>
    public static string? WhyNot(int headDim)
    {
        if (headDim != HeadDim)
        {
            return $"heads of {headDim} channels, {HeadDim} are needed";
        }
        var (major, minor) = CudaDevice.ComputeCapability;
        return (major, minor).CompareTo(First) >= 0 ? null : $"compute capability {major}.{minor}, 8.0 is needed";
    }

    public Tensor Apply(int block, Tensor joined, HeadNorms norms, Tensor angles)
    {
        var (batch, tokens, dim) = (joined.shape[0], joined.shape[1], (int)joined.shape[2] / 3);
        using var tiles = new EightBitTiles(batch, (int)tokens, norms.Heads, values: onHopper, joined.device);
        Tensor output;
        using (joined)
        {
            Require(joined, dim, norms, angles);
            var rows = kernels.Rows(dim);
            for (var sample = 0; sample < batch; sample++)
            {
                Round(rows, joined, sample, dim, norms, angles, tiles);
            }

            if (!onHopper)
            {
                output = empty([batch, tokens, dim], dtype: ScalarType.BFloat16, device: angles.device);
                for (var sample = 0; sample < batch; sample++)
                {
                    AttendAnywhere(joined, sample, dim, norms.Heads, tiles, output);
                }

                return output;
            }
        }

        output = empty([batch, tokens, dim], dtype: ScalarType.BFloat16, device: angles.device); // Where q, k and v were
        for (var sample = 0; sample < batch; sample++)
        {
            var at = tiles.Of(sample);
            kernels.Attend.Launch(
                (tiles.QueryBlocks, norms.Heads),
                AttentionKernels.AttendThreads,
                at.Queries,
                at.Keys,
                at.Values,
                at.QueryScales,
                at.KeyScales,
                at.ValueScales,
                AtenOps.DataPointer(output) + (nint)(sample * tokens * dim * 2),
                (int)tokens,
                norms.Heads
            );
        }
        return output;
    }

    private void AttendAnywhere(Tensor joined, int sample, int dim, int heads, EightBitTiles tiles, Tensor output)
    {
        var (tokens, at, attend) = ((int)joined.shape[1], tiles.Of(sample), kernels.AttendAnywhere);
        attend.Kernel.Launch(
            ((tokens + attend.QueriesOfABlock - 1) / attend.QueriesOfABlock, heads),
            attend.Threads,
            at.Queries,
            at.Keys,
            Column(joined, sample, dim, part: 2),
            joined.stride(1),
            at.QueryScales,
            at.KeyScales,
            AtenOps.DataPointer(output) + (nint)((long)sample * tokens * dim * 2),
            tokens,
            heads,
            tiles.QueryTiles,
            tiles.KeyTiles
        );
    }

    /// <summary>Where q (0), k or v begins.</summary>
    private static nint Column(Tensor joined, int sample, int dim, int part) =>
        AtenOps.DataPointer(joined) + (nint)(((sample * joined.stride(0)) + (part * (long)dim)) * 2);

    private void Round(
        AttentionKernels.RowKernels rows,
        Tensor joined,
        int sample,
        int dim,
        HeadNorms norms,
        Tensor angles,
        EightBitTiles tiles
    )
    {
        var (tokens, heads, stride) = ((int)joined.shape[1], norms.Heads, joined.stride(1));
        nint Part(int part) => Column(joined, sample, dim, part);
        var (q, k, v, turns) = (Part(0), Part(1), Part(2), AtenOps.DataPointer(angles));
        var (queryWeight, keyWeight) = (AtenOps.DataPointer(norms.Query), AtenOps.DataPointer(norms.Key));
        var at = tiles.Of(sample);
        // scores are exponents of two, which the matrix kernel takes without another product
        var temper = (float)(Math.Log2(Math.E) / Math.Sqrt(HeadDim));

        rows.Queries.Launch(
            (tokens, 2),
            rows.Threads,
            q,
            k,
            queryWeight,
            stride,
            (float)norms.Epsilon,
            temper,
            turns,
            tokens,
            tiles.QueryTiles,
            at.Queries,
            at.QueryScales,
            at.KeyFactors
        );
        rows.KeyMeans.Launch((heads, 1), AttentionKernels.MeanThreads, k, keyWeight, stride, turns, at.KeyFactors, tokens, at.KeyMeans);
        rows.KeyTiles.Launch(
            (heads, tiles.KeyTiles),
            AttentionKernels.KeyThreads,
            k,
            keyWeight,
            stride,
            turns,
            at.KeyFactors,
            at.KeyMeans,
            tokens,
            at.Keys,
            at.KeyScales
        );
        if (!onHopper)
        {
            return;
        }

        rows.ValueMaxima.Launch(
            ((tokens + AttentionKernels.ValuePart - 1) / AttentionKernels.ValuePart, heads),
            AttentionKernels.ValueThreads,
            v,
            stride,
            tokens,
            at.ValueMaxima
        );
        rows.ValueTiles!.Launch(
            (tiles.KeyTiles, heads),
            AttentionKernels.ValueThreads,
            v,
            stride,
            tokens,
            at.ValueMaxima,
            at.Values,
            at.ValueScales
        );
    }

    private static void Require(Tensor joined, int dim, HeadNorms norms, Tensor angles)
    {
        if (joined.dtype != ScalarType.BFloat16 || joined.stride(2) != 1 || joined.stride(1) % 8 != 0 || dim != norms.Heads * HeadDim)
        {
            throw new ArgumentException(
                $"{joined.dtype} [{string.Join(", ", joined.shape)}] for {norms.Heads} heads; "
+ $"bf16 rows of three times {HeadDim} a head are needed",
                nameof(joined)
            );
        }
        if (joined.shape[1] is < 1 or > int.MaxValue)
        {
            throw new ArgumentException($"{joined.shape[1]} tokens; 1 to {int.MaxValue} are needed", nameof(joined));
        }
        if (angles.dtype != ScalarType.ComplexFloat32 || !angles.is_contiguous() || angles.numel() != joined.shape[1] * HeadDim / 2)
        {
            throw new ArgumentException(
                $"angles of {angles.dtype} [{string.Join(", ", angles.shape)}]; {HeadDim / 2} complex numbers a token are needed",
                nameof(angles)
            );
        }
    }
}
