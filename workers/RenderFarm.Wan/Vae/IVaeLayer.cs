using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

/// <summary>A step of the encoder or decoder on one chunk, [B, C, F, H, W] → [B, C', F', H', W'].</summary>
internal interface IVaeLayer
{
    Tensor Apply(Tensor x, FeatureCache cache);
}
