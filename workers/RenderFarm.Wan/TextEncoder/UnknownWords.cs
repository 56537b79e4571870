using RenderFarm.Wan.TextEncoder.SentencePiece;

namespace RenderFarm.Wan.TextEncoder;

/// <summary>
/// Words of a prompt that a model of few words never saw. A large vocabulary has a piece for nearly every part of a word;
/// one of a few thousand pieces has its words, and spells all others in letters and bytes. Those mean nothing to the model,
/// and more than a few of them are unlike anything that it was trained on: it is better asked without them.
/// </summary>
public static class UnknownWords
{
    /// <summary>Vocabularies with fewer pieces are lists of words.</summary>
    private const int ListOfWords = 10_000;

    /// <returns>Each once, in the order of the prompt, without marks around it; none for a large vocabulary.</returns>
    public static IReadOnlyList<string> Of(string prompt, SentencePieceTokenizer tokenizer) =>
        tokenizer.VocabularySize >= ListOfWords
            ? []
            : [.. Words(prompt).Where(word => IsUnknown(word, tokenizer)).Select(Bare).Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <returns>The prompt as it is for a large vocabulary or where every word is known.</returns>
    public static string LeftOut(string prompt, SentencePieceTokenizer tokenizer)
    {
        if (tokenizer.VocabularySize >= ListOfWords)
        {
            return prompt;
        }

        var words = Words(prompt);
        string[] known = [.. words.Where(word => !IsUnknown(word, tokenizer))];
        return known.Length == words.Length ? prompt : string.Join(' ', known);
    }

    private static string[] Words(string prompt) => PromptCleaning.Clean(prompt).Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static bool IsUnknown(string word, SentencePieceTokenizer tokenizer) =>
        Bare(word) is { Length: > 0 } bare && IsSpelt(tokenizer.Tokenize(bare));

    private static string Bare(string word)
    {
        var (start, end) = (0, word.Length);
        while (start < end && !char.IsLetterOrDigit(word[start]) && !char.IsSurrogate(word[start]))
        {
            start++;
        }

        while (end > start && !char.IsLetterOrDigit(word[end - 1]) && !char.IsSurrogate(word[end - 1]))
        {
            end--;
        }

        return word[start..end];
    }

    /// <summary>No piece of it is more than a letter or a byte.</summary>
    private static bool IsSpelt(IReadOnlyList<Token> tokens)
    {
        var pieces = tokens.Select(token => token.Text.TrimStart('▁')).Where(text => text.Length > 0).ToList();
        return pieces.Count > 0 && pieces.TrueForAll(IsByte)
            || pieces.Count > 1 && pieces.TrueForAll(text => text.Length == 1 || IsByte(text));
    }

    private static bool IsByte(string piece) => piece.StartsWith("<0x", StringComparison.Ordinal);
}
