using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Wan.TextEncoder;

/// <summary>
/// Ids of one prompt as the encoder takes them: cleaned, cut to the length the DiT was trained with, always ending in
/// the end piece. Not padded: rows behind the last id carry nothing.
/// </summary>
public sealed record PromptTokens
{
    public const int MaxLength = 512;

    private PromptTokens(long[] ids, int dropped) => (Ids, Dropped) = (ids, dropped);

    /// <summary>1 to 512 ids, the last one the end piece.</summary>
    public IReadOnlyList<long> Ids { get; }

    /// <summary>How many ids of a long prompt did not fit; worth telling its author.</summary>
    public int Dropped { get; }

    public static PromptTokens From(string prompt, SentencePieceTokenizer tokenizer, int maxLength = MaxLength)
    {
        if (tokenizer.EndId < 0)
        {
            throw new SentencePieceFormatException("trainer_spec.eos_id is not set: the text encoder needs an end piece");
        }

        var ids = tokenizer.Encode(PromptCleaning.Clean(prompt));
        var kept = Math.Min(ids.Count, maxLength - 1);
        return new PromptTokens([.. ids.Take(kept).Select(id => (long)id), tokenizer.EndId], ids.Count - kept);
    }
}
