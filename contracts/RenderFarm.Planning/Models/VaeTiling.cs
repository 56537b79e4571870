using RenderFarm.Contracts.Models;

namespace RenderFarm.Planning.Models;

/// <summary>How frames are cut into overlapping tiles; the engine cuts by the same rule that the planner counts by.</summary>
public static class VaeTiling
{
    /// <summary>Latent cells that neighbours share and blend: 64 pixels.</summary>
    public static int Overlap(VaeShape shape) => 64 / shape.SpatialStride;

    /// <summary>The smallest tile that still has a part of its own.</summary>
    public static int SmallestTile(VaeShape shape) => 2 * Overlap(shape);

    /// <summary>Cells of one tile and number of tiles along a side of <paramref name="cells"/>; a tile of 0 is the whole side.</summary>
    public static (int Cells, int Count) Split(VaeShape shape, int cells, int tile)
    {
        if (tile == 0 || tile >= cells)
        {
            return (cells, 1);
        }

        var stride = tile - Overlap(shape);
        return (tile, 1 + ((cells - tile + stride - 1) / stride));
    }
}
