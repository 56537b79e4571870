using static TorchSharp.torch;

namespace RenderFarm.Wan.Vae;

internal static class LayerSequence
{
    /// <summary>One layer after the other, letting go of what lies between them.</summary>
    public static Tensor Run(this IReadOnlyList<IVaeLayer> layers, Tensor x, FeatureCache cache)
    {
        var current = x;
        foreach (var layer in layers)
        {
            var next = layer.Apply(current, cache);
            if (!ReferenceEquals(current, x))
            {
                current.Dispose();
            }

            current = next;
        }
        return current;
    }
}
