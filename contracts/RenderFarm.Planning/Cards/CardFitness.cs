namespace RenderFarm.Planning.Cards;

/// <summary>Whether a card can work here at all.</summary>
public static class CardFitness
{
    private static readonly string[] OtherMakers = ["AMD", "RADEON", "INSTINCT", "INTEL", "ARC", "MATROX"];

    /// <summary>Null when nothing speaks against it; else why not, and what to do.</summary>
    /// <param name="card">The driver's name; may be empty.</param>
    /// <param name="capability">As the driver says; null where nobody asked it, and the name alone tells.</param>
    public static string? WhyNot(string card, Version? capability = null)
    {
        var name = new CardName(card);
        if (Array.Exists(OtherMakers, maker => name.ToString().Split(' ').Contains(maker)))
        {
            return $"{card} is not an NVIDIA card, and renders run on those only, or on the CPU (Worker:Slots cpu)";
        }

        capability ??= CardSheets.Find(card)?.Capability;
        if (capability >= CardGenerations.First)
        {
            return null;
        }

        var lacks = capability is not null ? $"has compute capability {capability} and no bf16 units"
            : CardGenerations.OfName(name) == CardGeneration.BeforeAmpere ? "is older than Ampere and has no bf16 units"
            : null;
        return lacks is null
            ? null
            : $"{card} {lacks}; renders need compute capability {CardGenerations.First} or later (RTX 30, A100 and what came after), or "
                + "the CPU (Worker:Slots cpu)";
    }
}
