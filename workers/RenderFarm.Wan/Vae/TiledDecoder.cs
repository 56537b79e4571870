using RenderFarm.Contracts.Models;
using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>
/// Decodes a latent in overlapping tiles, cut by the rule that plans count by, and blends them with linear ramps. One tile
/// at a time, from the first frame to the last, since each has a feature cache of its own: device memory is that of one
/// tile. The picture comes together in host memory, float32.
/// </summary>
/// <param name="tile">Side in latent cells.</param>
public sealed class TiledDecoder(WanVae vae, VaeShape shape, int tile)
{
    private readonly int _tile = TilePiece.Checked(tile, shape);

    /// <summary>Frames in the chunks of <see cref="WanVae.Decode"/>, in host memory; the caller owns each.</summary>
    /// <param name="latent">[1, C, T, h, w] on the device of the weights.</param>
    /// <param name="afterChunk">Called after every chunk of every tile; may throw to end the decoding.</param>
    public IEnumerable<Tensor> Decode(Tensor latent, Action? afterChunk = null)
    {
        var height = latent.shape[3];
        var width = latent.shape[4];
        var rows = TilePiece.Along((int)height, shape, _tile, shape.SpatialStride);
        var columns = TilePiece.Along((int)width, shape, _tile, shape.SpatialStride);
        var frames = (latent.shape[2] - 1) * VaeShape.TemporalStride + 1;
        var video = zeros([1, 3, frames, height * shape.SpatialStride, width * shape.SpatialStride], dtype: ScalarType.Float32)
            .DetachFromDisposeScope();
        try
        {
            foreach (var row in rows)
            {
                foreach (var column in columns)
                {
                    AddTile(latent, row, column, video, afterChunk);
                }
            }
        }
        catch
        {
            video.Dispose();
            throw;
        }
        return Chunks(video);
    }

    private void AddTile(Tensor latent, TilePiece row, TilePiece column, Tensor video, Action? afterChunk)
    {
        using var scope = NewDisposeScope();
        var stride = shape.SpatialStride;
        var weights = tensor(row.Weights).view(-1, 1) * tensor(column.Weights);
        var part = latent.narrow(3, row.Start, row.Cells).narrow(4, column.Start, column.Cells).contiguous();
        long at = 0;
        foreach (var chunk in vae.Decode(part))
        {
            using var temporaries = NewDisposeScope();
            using (chunk)
            {
                var pixels = chunk.cpu();
                video
                    .narrow(2, at, pixels.shape[2])
                    .narrow(3, (long)row.Start * stride, pixels.shape[3])
                    .narrow(4, (long)column.Start * stride, pixels.shape[4])
                    .add_(pixels * weights);
                at += pixels.shape[2];
            }
            afterChunk?.Invoke();
        }
    }

    private static IEnumerable<Tensor> Chunks(Tensor video)
    {
        using (video)
        {
            for (long at = 0, frames = 1; at < video.shape[2]; at += frames, frames = VaeShape.TemporalStride)
            {
                yield return video.narrow(2, at, frames).clone().DetachFromDisposeScope();
            }
        }
    }
}
