using static TorchSharp.torch;

namespace RenderFarm.Rendering.Conditioning;

/// <summary>
/// What the text encoder makes of one prompt: float32 [n, text dim] in host memory. On a card it would keep the range of its pool that
/// it lies in from going back between the stages. Owns it.
/// </summary>
/// <param name="DroppedTokens">Tokens that did not fit into the text length and were left out.</param>
/// <param name="UnknownWords">Words that mean nothing to the model and were left out.</param>
public sealed record EncodedPrompt(Tensor Context, int DroppedTokens, IReadOnlyList<string> UnknownWords) : IDisposable
{
    public void Dispose() => Context.Dispose();
}

/// <summary>Contexts of one job. Owns them.</summary>
/// <param name="Prompt">What is asked for.</param>
/// <param name="Negative">Null where the guidance scale needs none.</param>
public sealed record EncodedPrompts(EncodedPrompt Prompt, EncodedPrompt? Negative) : IDisposable
{
    public Tensor Conditional => Prompt.Context;

    public Tensor? Unconditional => Negative?.Context;

    public int DroppedTokens => Prompt.DroppedTokens;

    public IReadOnlyList<string> UnknownWords => Prompt.UnknownWords;

    public void Dispose()
    {
        Prompt.Dispose();
        Negative?.Dispose();
    }
}
