using RenderFarm.Contracts.Models;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// Encodes a video in overlapping tiles, cut and blended as <see cref="TiledDecoder"/> does: device memory is that of one tile.
/// </summary>
/// <param name="tile">Side in latent cells.</param>
public sealed class TiledEncoder(WanVae vae, VaeShape shape, int tile)
{
    private readonly int _tile = TilePiece.Checked(tile, shape);

    /// <param name="frames">4n+1.</param>
    /// <param name="chunk">Start and count of frames → [1, 3, count, H, W] on the device of the weights, asked for once a tile.</param>
    /// <returns>Float32 latent [1, C, n+1, h, w]; the caller owns it.</returns>
    public Tensor Encode(long frames, int height, int width, Func<long, long, Tensor> chunk, Action? afterChunk = null)
    {
        using var scope = NewDisposeScope();
        var stride = shape.SpatialStride;
        Tensor? latent = null;
        foreach (var row in TilePiece.Along(height / stride, shape, _tile, 1))
        {
            foreach (var column in TilePiece.Along(width / stride, shape, _tile, 1))
            {
                using var temporaries = NewDisposeScope();
                var part = vae.Encode(
                    frames,
                    (start, count) =>
                    {
                        using var whole = chunk(start, count);
                        return whole
                            .narrow(3, (long)row.Start * stride, (long)row.Cells * stride)
                            .narrow(4, (long)column.Start * stride, (long)column.Cells * stride)
                            .contiguous();
                    },
                    afterChunk
                );
                latent ??= zeros(
                        [1, part.shape[1], part.shape[2], height / stride, width / stride],
                        dtype: ScalarType.Float32,
                        device: part.device
                    )
                    .MoveToOuterDisposeScope();
                latent
                    .narrow(3, row.Start, row.Cells)
                    .narrow(4, column.Start, column.Cells)
                    .add_(part * (tensor(row.Weights, device: part.device).view(-1, 1) * tensor(column.Weights, device: part.device)));
            }
        }

        return latent!.MoveToOuterDisposeScope();
    }
}
