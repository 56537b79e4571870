using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning;

/// <summary>What pictures turn into before denoising; owns its tensors. Everything is null without pictures.</summary>
public sealed record EncodedPictures : IDisposable
{
    public static EncodedPictures None { get; } = new();

    /// <summary>Vision features [pictures, tokens, dim], for models with an image branch.</summary>
    public Tensor? Features { get; init; }

    /// <summary>Mask and latent of the given frames, [1, 4 + C, T, h, w], for models with picture channels.</summary>
    public Tensor? Channels { get; init; }

    /// <summary>The latent that the first frame is, [1, C, 1, h, w], for models that take it so.</summary>
    public Tensor? FirstLatent { get; init; }

    public void Dispose()
    {
        Features?.Dispose();
        Channels?.Dispose();
        FirstLatent?.Dispose();
    }
}
