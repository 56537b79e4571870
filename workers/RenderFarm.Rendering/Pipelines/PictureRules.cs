using RenderFarm.Contracts.Leases;
using RenderFarm.Contracts.Models;
using RenderFarm.Contracts.Rendering;
using RenderFarm.Contracts.Videos;

namespace RenderFarm.Rendering.Pipelines;

/// <summary>Which pictures an order may and must have.</summary>
internal static class PictureRules
{
    /// <exception cref="RenderException">Names the role and what to do about it.</exception>
    public static void Require(RenderOrder order)
    {
        var (id, shape) = (order.Shape.Id, order.Shape);
        var first = order.InputFiles.ContainsKey(InputRoles.FirstFrame);
        var last = order.InputFiles.ContainsKey(InputRoles.LastFrame);
        var fault =
            first && !shape.TakesFirstFrame ? $"{id} renders from text only; leave '{InputRoles.FirstFrame}' out"
            : last && !shape.TakesLastFrame ? $"{id} takes no last frame; leave '{InputRoles.LastFrame}' out"
            : !first && (last || shape.NeedsFirstFrame) ? $"{id} needs a picture to start from; give '{InputRoles.FirstFrame}'"
            : !last && shape.NeedsLastFrame ? $"{id} needs a picture to end on; give '{InputRoles.LastFrame}'"
            : null;
        if (fault is not null)
        {
            throw new RenderException(FailureReason.InvalidRequest, fault);
        }

        var latent = shape.Vae.LatentChannels;
        var needed = shape.Pictures == PictureConditioning.Channels ? (2 * latent) + VaeShape.TemporalStride : latent;
        if (shape.Transformer.InChannels != needed)
        {
            throw new RenderException(
                FailureReason.ModelUnavailable,
                $"{id}: its DiT takes {shape.Transformer.InChannels} channels where pictures as '{shape.Pictures}' make {needed}; scan the "
                    + "model again"
            );
        }
    }
}
