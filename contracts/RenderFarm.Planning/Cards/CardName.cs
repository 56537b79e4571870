using System.Text.RegularExpressions;

namespace RenderFarm.Planning.Cards;

/// <summary>
/// A card's name in words. Drivers say <c>NVIDIA A100-SXM4-80GB</c>, sheets <c>A100 80GB</c>, and people <c>4090</c>.
/// </summary>
internal sealed partial class CardName
{
    private static readonly string[] Silent = ["NVIDIA", "GEFORCE", "TESLA", "GPU"];
    private readonly string[] _words;

    public CardName(string text)
    {
        var words = Glued()
            .Replace(text.ToUpperInvariant(), "RTX $1")
            .Split([' ', '-'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(word => !Silent.Contains(word));
        _words = [.. words];
        if (_words is [{ Length: 4 } number, ..] && number.All(char.IsAsciiDigit))
        {
            _words = ["RTX", .. _words];
        }
    }

    public int Length => _words.Length;

    public bool Is(CardName other) => _words.SequenceEqual(other._words);

    /// <summary>
    /// The other's words in their order, the first of them first, and besides them only what makes no other card of it: a size of
    /// memory, a socket. "Ti", "SUPER", "Laptop" and words that nobody knows are another card.
    /// </summary>
    public bool IsKindOf(CardName other)
    {
        var found = 0;
        foreach (var word in _words)
        {
            if (found < other._words.Length && word == other._words[found])
            {
                found++;
            }
            else if (found == 0 || !Qualifier().IsMatch(word))
            {
                return false;
            }
        }

        return found == other._words.Length;
    }

    public override string ToString() => string.Join(' ', _words);

    [GeneratedRegex(@"^(\d+GB|HBM\d\w?|SXM\d?|PCIE|NVL\d*|GENERATION|EDITION|WORKSTATION)$")]
    private static partial Regex Qualifier();

    [GeneratedRegex(@"RTX(\d)")]
    private static partial Regex Glued();
}
