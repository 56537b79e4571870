namespace RenderFarm.Planning.Cards;

internal enum CardGeneration
{
    /// <summary>Cards that can't work.</summary>
    BeforeAmpere,
    Ampere,
    Ada,
    Hopper,
    Blackwell,
}

internal static class CardGenerations
{
    /// <summary>The first with bf16 units.</summary>
    public static readonly Version First = new(8, 0);

    private static readonly (string Start, CardGeneration Generation)[] Starts =
    [
        ("RTX PRO", CardGeneration.Blackwell),
        ("RTX 50", CardGeneration.Blackwell),
        ("RTX 40", CardGeneration.Ada),
        ("RTX 30", CardGeneration.Ampere),
        ("RTX A", CardGeneration.Ampere),
        ("RTX 20", CardGeneration.BeforeAmpere),
        ("QUADRO", CardGeneration.BeforeAmpere),
        ("GTX", CardGeneration.BeforeAmpere),
        ("TITAN", CardGeneration.BeforeAmpere),
    ];

    public static CardGeneration Of(Version capability) =>
        capability < First ? CardGeneration.BeforeAmpere
        : capability < new Version(8, 9) ? CardGeneration.Ampere
        : capability < new Version(9, 0) ? CardGeneration.Ada
        : capability < new Version(10, 0) ? CardGeneration.Hopper
        : CardGeneration.Blackwell;

    /// <summary>What a name says of a card that isn't in the table; null when nothing.</summary>
    public static CardGeneration? OfName(CardName name)
    {
        var text = name.ToString();
        return text.Contains(" ADA", StringComparison.Ordinal) ? CardGeneration.Ada
            : text.Contains("BLACKWELL", StringComparison.Ordinal) ? CardGeneration.Blackwell
            : Starts.FirstOrDefault(known => text.StartsWith(known.Start, StringComparison.Ordinal)) is ({ } _, var generation)
                ? generation
                : null;
    }
}
