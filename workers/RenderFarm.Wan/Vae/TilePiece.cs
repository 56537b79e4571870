using RenderFarm.Contracts.Models;
using RenderFarm.Planning.Models;

namespace RenderFarm.Wan.Vae;

/// <summary>A tile along one side.</summary>
/// <param name="Start">First latent cell.</param>
/// <param name="Weights">How much each of its points counts, a ramp over every overlap; over all tiles the weights of a point sum to
/// 1.</param>
internal sealed record TilePiece(int Start, int Cells, float[] Weights)
{
    public static int Checked(int tile, VaeShape shape) =>
        tile >= VaeTiling.SmallestTile(shape)
            ? tile
            : throw new ArgumentOutOfRangeException(
                nameof(tile),
                tile,
                $"a tile has at least {VaeTiling.SmallestTile(shape)} latent cells"
            );

    /// <param name="cells">Latent cells of the whole side.</param>
    /// <param name="pointsPerCell">The stride where pixels are blended, 1 where latents are.</param>
    public static List<TilePiece> Along(int cells, VaeShape shape, int tile, int pointsPerCell)
    {
        var overlap = VaeTiling.Overlap(shape);
        var (size, count) = VaeTiling.Split(shape, cells, tile);
        // The last one is moved back to end at the edge, and overlaps its neighbour by more
        int[] starts = [.. Enumerable.Range(0, count).Select(i => Math.Min(i * (size - overlap), cells - size))];
        var ramp = overlap * pointsPerCell;
        var points = size * pointsPerCell;
        var weights = starts
            .Select(
                (_, i) =>
                    Enumerable
                        .Range(0, points)
                        .Select(at =>
                        {
                            var fromLeft = i == 0 ? 1 : (at + 0.5) / ramp;
                            var fromRight = i == count - 1 ? 1 : (points - at - 0.5) / ramp;
                            return Math.Min(1, Math.Min(fromLeft, fromRight));
                        })
                        .ToArray()
            )
            .ToList();
        var sums = new double[cells * pointsPerCell];
        for (var i = 0; i < count; i++)
        {
            for (var at = 0; at < points; at++)
            {
                sums[(starts[i] * pointsPerCell) + at] += weights[i][at];
            }
        }

        return
        [
            .. starts.Select(
                (start, i) =>
                    new TilePiece(start, size, [.. weights[i].Select((weight, at) => (float)(weight / sums[(start * pointsPerCell) + at]))])
            ),
        ];
    }
}
