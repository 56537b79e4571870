using RenderFarm.Contracts.Models;
using RenderFarm.Wan.Vae;
using static TorchSharp.torch;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>A latent to written frames. Each chunk is handed on while the device decodes the one after it.</summary>
/// <param name="tile">Side in latent cells; 0 decodes whole frames.</param>
/// <param name="trim">Gives memory that nothing uses back to the device.</param>
public sealed class LatentDecoding(WanVae vae, VaeShape shape, int tile, Action trim)
{
    /// <summary>The chunks that make the feature cache: what was around it when they are done goes back.</summary>
    private const int ChunksOfTheStart = 2;

    /// <param name="latent">[1, C, T, h, w] on the device of the weights.</param>
    /// <param name="alive">Called after every chunk of every tile; may throw to end the decoding.</param>
    /// <param name="written">Called after every chunk that was handed on; likewise.</param>
    /// <returns>False where a pixel was no finite number; nothing was handed on from that chunk on.</returns>
    public bool Run(Tensor latent, FrameWriter writer, Action alive, Action written)
    {
        var begun = 0;
        foreach (var chunk in tile == 0 ? vae.Decode(latent) : new TiledDecoder(vae, shape, tile).Decode(latent, AfterTilesChunk()))
        {
            using (chunk)
            {
                writer.Begin(chunk);
            }

            if (++begun <= ChunksOfTheStart)
            {
                if (!WriteNext())
                {
                    return false;
                }

                trim();
            }
            else if (writer.UnderWay > 1 && !WriteNext())
            {
                return false;
            }
        }

        while (writer.UnderWay > 0)
        {
            if (!WriteNext())
            {
                return false;
            }
        }

        return true;

        Action AfterTilesChunk()
        {
            var chunks = 0;
            return () =>
            {
                alive();
                if (++chunks <= ChunksOfTheStart)
                {
                    trim();
                }
            };
        }

        bool WriteNext()
        {
            var finite = writer.WriteNext();
            written();
            return finite;
        }
    }
}
