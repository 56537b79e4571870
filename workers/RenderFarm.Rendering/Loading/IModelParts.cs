using RenderFarm.Contracts.Videos;
using RenderFarm.Inference.Safetensors;
using RenderFarm.Wan.Loras;
using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Rendering.Loading;

/// <summary>
/// What a model is made of: the files of a checkpoint, or weights that are generated as they are asked for. The caller owns every
/// source it opens.
/// </summary>
public interface IModelParts
{
    /// <summary>Before anything takes time: all of it is there.</summary>
    /// <exception cref="RenderException">Names the first part that is not.</exception>
    void Require();

    SentencePieceTokenizer Tokenizer();

    ITensorSource Open(ModelPart part);

    /// <summary>The LoRAs of a request that are for this DiT; the caller owns their files.</summary>
    /// <exception cref="RenderException">Names one that is not here.</exception>
    IReadOnlyList<NamedLora> Loras(ModelPart part, IReadOnlyList<LoraReference> requested);

    /// <summary>Fit for a file name; another one whenever the part's weights may be others.</summary>
    string Fingerprint(ModelPart part);
}

public enum ModelPart
{
    TextEncoder,

    /// <summary>The DiT, or of two experts the high-noise one.</summary>
    Transformer,
    TransformerLowNoise,
    Vae,
    ImageEncoder,
}
