using RenderFarm.Contracts.Models;

namespace RenderFarm.Planning.Models;

/// <summary>A video's size in the units of the model: latent frames, latent cells, tokens.</summary>
public sealed record VideoGeometry
{
    /// <param name="frames">4n+1.</param>
    public VideoGeometry(VaeShape vae, int width, int height, int frames)
    {
        Width = width;
        Height = height;
        Frames = frames;
        LatentFrames = ((frames - 1) / VaeShape.TemporalStride) + 1;
        LatentHeight = height / vae.SpatialStride;
        LatentWidth = width / vae.SpatialStride;
    }

    public int Width { get; }
    public int Height { get; }
    public int Frames { get; }
    public int LatentFrames { get; }
    public int LatentHeight { get; }
    public int LatentWidth { get; }

    /// <summary>Length of the DiT's sequence: one token per 1 × 2 × 2 latent cells.</summary>
    public int Tokens => LatentFrames * (LatentHeight / 2) * (LatentWidth / 2);

    public long LatentCells => (long)LatentFrames * LatentHeight * LatentWidth;
}
